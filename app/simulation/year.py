"""A simulated year: households arrive, wait, move on and leave; every place is found by the real ranking."""

import datetime as dt
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from app.allocation.case import case_of
from app.allocation.policy import Policy
from app.allocation.rank import rank
from app.allocation.rules import would_do
from app.allocation.values import Need, Offer, Ranking, Situation
from app.allocation.waiting import Waiting, place_of
from app.simulation.accounts import Accounts, Running
from app.simulation.arrivals import Arrival
from app.simulation.assumptions import CALL_MINUTES, DAY, GIVES_UP_DAYS, CAP_PERMILLE
from app.simulation.choosing import Choice
from app.simulation.world import World

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

@dataclass(slots=True)
class Guest:
    arrival: Arrival
    need: Need
    ends: int | None = None
    group: str | None = None
    running: Running | None = None
    version: int = 0
    answered: int = 0
    moves: int = 0
    declined: set[str] = field(default_factory=set)
    place: tuple = ()
    would: frozenset = frozenset()
    since: int = 0
    waited: int | None = None
    cap_origin: bool=False


class Year:
    def __init__(self, world, arrivals, days, policy, choose, measure, caps, stay_nights=90):
        self.w=world; self.policy=policy; self.choose=choose; self.measure=measure; self.caps=caps
        self.sn=stay_nights
        self.acc=Accounts(world.weights)
        self.free=Counter({g.id:g.places for g in world.register.groups})
        self.total=Counter(); self.occ=Counter()
        for g in world.register.groups: self.total[g.provider_id]+=g.places
        self.q=[]; self.seq=0
        self.days=days
        self.waiting=[]
        self.deficits={}
        self.cap_in=Counter()
        self.running=set()
        self.first={}; self.km_wish=[]; self.km_home=[]; self.moves=0; self.found_at_once=0; self.placed=0; self.cross=Counter(); self.clients=Counter()
        self.waits=[]
        self.series=[]
        self.nranks=0; self.lost=0; self.left_waiting=0
        self.regions=[(r, n) for r,n in world.places.items()]
        for t in world.taken:
            self.take(t.group); self.push(t.until,"free",t.group)
        for a in arrivals: self.push(a.at,"arrive",a)
        for d in range(1,days+1): self.push(d*DAY,"midnight",None)
    def push(self,at,what,x):
        self.seq+=1; heappush(self.q,(at,0 if what=="midnight" else 1,self.seq,what,x))
    def take(self,g):
        self.free[g]-=1; self.occ[self.w.groups[g].provider_id]+=1
        assert self.free[g]>=0
    def run(self):
        end=self.days*DAY
        while self.q and self.q[0][0]<=end:
            at,_,_,what,x=heappop(self.q)
            self.now=at
            getattr(self,"on_"+what)(x)
        return self
    def on_midnight(self,_):
        self.acc.midnight(sorted(self.running,key=id))
        if self.measure: self.deficits=self.acc.deficits(self.measure,stay_nights=self.sn)
        self.series.append(float(self.acc.deviation))
        if self.caps or self.patience:
            for key,g in list(self.waiting):
                if g.group is None and g.need.reason!="safety" and (self.caps or 0<=self.now-g.arrival.at-self.patience*DAY*(1 if g.need.urgency=='acute' else 3)<2*DAY): self.seek(g)
    def on_free(self,g):
        self.release(g)
    def release(self,g):
        self.free[g]+=1; self.occ[self.w.groups[g].provider_id]-=1
        self.offer(g)
    def offer(self,g):
        for key,guest in list(self.waiting):
            if self.free[g]<=0: return
            if g in guest.would: self.seek(guest)
    def on_arrive(self,a):
        g=Guest(a,a.need,since=a.at)
        self.clients["all"]+=a.need.household.persons
        self.seek(g)
        if g.group is None:
            self.wait(g); self.push(self.now+GIVES_UP_DAYS*DAY,"giveup",(g,g.version))
        else: self.found_at_once+=1
    def wait(self,g):
        n=g.need
        case=case_of(n,self.w.register,self.situation(g),self.policy)
        g.would=frozenset(x.id for x in self.w.register.groups if would_do(x,case))
        wt=Waiting(str(g.arrival.number),n.urgency,n.threat_level,bool(n.household.children or n.household.pregnant),START+dt.timedelta(minutes=g.since))
        g.place=(place_of(wt,policy=self.policy))
        insort(self.waiting,(g.place,g),key=lambda e:e[0])
    def unwait(self,g):
        if g.place:
            self.waiting=[e for e in self.waiting if e[1] is not g]; g.place=()
    def on_giveup(self,x):
        g,v=x
        if g.group is None and g.version==v:
            self.unwait(g); self.lost+=1
    def situation(self,g):
        n=g.need
        zones={z.municipality for z in n.danger_zones}
        if n.danger_assessment=="not_asked": zones.add(n.origin)
        return Situation(as_of=START+dt.timedelta(minutes=self.now),
            free={k:min(3,v) for k,v in self.free.items() if v>0},
            confirmed_hours=self.confirmed(), clearances={z:self.w.clearances[z] for z in zones},
            near_km=self.w.distances[n.near_municipality] if n.near_municipality else {},
            deficits=self.defs(n), occupancy={p:1000*o//self.total[p] for p,o in self.occ.items()},
            capped_regions=frozenset(r for r,nn in self.regions if self.cap_in[r]*1000>=nn*CAP_PERMILLE) if self.caps else frozenset(),
            declined_sites=frozenset(g.declined))
    capmode="same"
    def defs(self,n):
        if n.reason=="safety" or self.capmode=="same": return self.deficits
        if self.capmode=="none": return {}
        if self.capmode=="half": return {r:-max(0,v) for r,v in self.deficits.items()}
        return {r:-v for r,v in self.deficits.items()}
    patience=0
    def confirmed(self):
        return {g.site_id:8 for g in self.w.register.groups} if not hasattr(self,'_c') else self._c
    def seek(self,g):
        minutes=0
        while True:
            self.nranks+=1
            r=rank(g.need,self.w.register,self.situation(g),self.policy)
            n=g.need
            if self.patience and g.group is None and n.reason!="safety" and self.now-g.arrival.at<self.patience*DAY*(1 if n.urgency=='acute' else 3) and n.origin_region in r.lawful_regions:
                if not r.offers or r.offers[0].cross_regional: return
            c=self.choose(r,g.arrival,self.w)
            if c is None: return
            minutes+=c.rung*CALL_MINUTES
            ans=g.arrival.answers[g.answered%len(g.arrival.answers)]; g.answered+=1
            minutes+=ans.minutes
            if not ans.accepted:
                g.declined.add(c.offer.group.site_id); continue
            self.settle(g,c.offer,r,minutes); return
    def settle(self,g,offer,r,minutes):
        grp=offer.group; old=g.group; oldgrp=self.w.groups[old] if old else None
        first=old is None
        self.unwait(g); g.version+=1
        if first:
            g.waited=self.now-g.since+minutes; self.waits.append(g.waited); self.placed+=1
            self.clients["placed"]+=g.need.household.persons
            if offer.cross_regional:
                self.cross[g.need.reason]+=1; self.clients["cross"]+=g.need.household.persons
            a=g.arrival
            if a.need.near_municipality: self.km_wish.append(self.w.distances[a.need.near_municipality][grp.municipality])
            self.km_home.append(self.w.distances[a.need.origin][grp.municipality])
            g.ends=self.now+a.crisis+a.follow_on
        else:
            self.moves+=1
        g.declined=set()
        same=oldgrp is not None and (oldgrp.provider_id,oldgrp.region)==(grp.provider_id,grp.region)
        if not same:
            self.unaccount(g)
            if offer.cross_regional and g.need.reason=="safety":
                g.running=self.acc.begin(grp.region,r.lawful_regions,self.w.weights); self.running.add(g.running)
            elif offer.cross_regional: self.cap_in[grp.region]+=1; g.cap_origin=grp.region
        self.take(grp.id); g.group=grp.id
        # next
        if grp.kind=="emergency": self.push(min(g.ends,self.now+3*DAY),"next",(g,g.version))
        elif grp.kind=="crisis" and g.arrival.follow_on and g.ends-g.arrival.follow_on>self.now: self.push(g.ends-g.arrival.follow_on,"next",(g,g.version))
        elif grp.kind=="crisis" and g.arrival.follow_on: self.push(self.now,"next",(g,g.version))
        self.push(g.ends,"leave",(g,))
        if old: self.release(old)
    def unaccount(self,g):
        if g.running: self.acc.end(g.running); self.running.discard(g.running); g.running=None
        if g.cap_origin: self.cap_in[g.cap_origin]-=1; g.cap_origin=False
    def on_next(self,x):
        g,v=x
        if g.version!=v or g.group is None or self.now>=g.ends: return
        grp=self.w.groups[g.group]
        need=g.need
        near=need.near_municipality or grp.municipality
        # emergency: urgent again until crisis over
        if grp.kind=="emergency" and self.now<g.ends-g.arrival.follow_on: urg="urgent"
        else: urg="planned"
        g.need=replace(need,urgency=urg,near_municipality=near); g.since=self.now
        self.seek(g)
        if g.version==v: self.wait(g)
    def on_leave(self,x):
        g=x[0]
        if g.group is None or g.ends!=self.now: return
        self.unwait(g); g.version+=1
        self.unaccount(g); old=g.group; g.group=None
        g.ends=None
        self.release(old)
