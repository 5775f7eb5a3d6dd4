-- Placements, the stays that they make up, and what is done for everyone at a site.

-- The one place where a placement gives up its claim: to its successor, whose providers are told
-- whoever sees it, or to all who wait. A part of the functions below, with whose rights it runs.
CREATE OR REPLACE FUNCTION give_up_place(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  found boolean;
  successor uuid;
BEGIN
  UPDATE public.claims
  SET kind = CASE WHEN successor_id IS NULL THEN NULL ELSE 'placement' END, hold_id = NULL,
      placement_id = successor_id, successor_id = NULL, reason = NULL, since = clock_timestamp(),
      claimed_until =
        CASE WHEN successor_id IS NULL THEN '-infinity' ELSE 'infinity' END::timestamptz
  WHERE placement_id = of_placement RETURNING true, placement_id INTO found, successor;
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT 'placement', p.id::text, ARRAY[p.provider_id, p.receiver_id]
  FROM public.placements AS p WHERE p.id = successor;
  RETURN found IS NOT NULL;
END $$;
REVOKE ALL ON FUNCTION give_up_place FROM PUBLIC;

-- Whether the caller is one of the two sides of a placement and sees it, or acts for everybody in
-- the live swap that it is part of.
CREATE OR REPLACE FUNCTION acts_on_placement(of_placement uuid, as_actor text) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM public.placements AS p
    WHERE p.id = of_placement
      AND (public.our_case(p.provider_id, p.referral_id)
           OR public.entrusted_to_us(p.provider_id, p.receiver_id)
           OR (as_actor = 'exchange' AND public.in_live_swap(p.referral_id))));
END $$;
REVOKE ALL ON FUNCTION acts_on_placement FROM PUBLIC;

-- Free the place of a placement that is over; false if it was no longer its place.
CREATE OR REPLACE FUNCTION free_place(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  freed boolean := false;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.acts_on_placement(of_placement, before) THEN
    freed := public.give_up_place(of_placement);
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN freed;
END $$;
REVOKE ALL ON FUNCTION free_place FROM PUBLIC;
GRANT EXECUTE ON FUNCTION free_place TO plek_app;

-- Whether a household went from one placement to a later one inside one provider and region: the
-- ledger has one time there. A part of the functions below, with whose rights it runs.
CREATE OR REPLACE FUNCTION moved_inside(earlier uuid, later uuid) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT EXISTS (
    SELECT FROM public.placements AS n JOIN public.placements AS p ON p.id = n.previous_id
    WHERE p.id = earlier AND n.id = later AND n.began_id = coalesce(p.began_id, p.id)
      AND n.status IN ('arrived', 'ended'))
$$;
REVOKE ALL ON FUNCTION moved_inside FROM PUBLIC;

-- Whether a household that left a placement of the caller's went on to another place of the same
-- provider, seen by the caller or not.
CREATE OR REPLACE FUNCTION went_on_inside(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  onward boolean := false;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.acts_on_placement(of_placement, before) THEN
    onward := EXISTS (
      SELECT FROM public.placements AS n
      WHERE n.previous_id = of_placement AND n.status NOT IN ('no_show', 'cancelled')
        AND public.moved_inside(of_placement, n.id));
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN onward;
END $$;
REVOKE ALL ON FUNCTION went_on_inside FROM PUBLIC;
GRANT EXECUTE ON FUNCTION went_on_inside TO plek_app;

-- Between which moments a household can have been at a placement of the caller's: since when it has
-- been with this provider, when it had left where it was before, and when it came to where it was
-- next, at whatever provider, seen by the caller or not. The stay is locked, so that of two who
-- change its days at once the second sees what the first did: nobody's nights count twice. Of a
-- household that moved inside a provider, the place before ends as this one begins.
CREATE OR REPLACE FUNCTION days_around(of_placement uuid) RETURNS TABLE (
  began_at timestamptz, left_before timestamptz, came_next timestamptz
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  this public.placements;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.acts_on_placement(of_placement, before) THEN
    -- The place before first, as for an arrival that ends it.
    PERFORM FROM public.placements AS p
    WHERE p.id = (SELECT n.previous_id FROM public.placements AS n WHERE n.id = of_placement)
    FOR UPDATE;
    PERFORM FROM public.stays AS s
    WHERE s.id = (SELECT p.stay_id FROM public.placements AS p WHERE p.id = of_placement)
    FOR UPDATE;
    SELECT * INTO this FROM public.placements AS p WHERE p.id = of_placement;
    RETURN QUERY
    SELECT (SELECT b.arrived_at FROM public.placements AS b
            WHERE b.id = coalesce(this.began_id, this.id)),
           max(CASE WHEN p.id = this.previous_id AND public.moved_inside(p.id, this.id)
                    THEN p.arrived_at ELSE p.departed_at END)
             FILTER (WHERE (p.created_at, p.id) < (this.created_at, this.id)),
           min(p.arrived_at) FILTER (WHERE (p.created_at, p.id) > (this.created_at, this.id))
    FROM public.placements AS p
    WHERE (p.stay_id = this.stay_id OR p.referral_id = this.referral_id)
      AND p.arrived_at IS NOT NULL;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION days_around FROM PUBLIC;
GRANT EXECUTE ON FUNCTION days_around TO plek_app;

-- Let a household have left the place before at the moment of its arrival, corrected, at this one:
-- of a move inside a provider both are one act.
CREATE OR REPLACE FUNCTION leave_when_arrived(of_placement uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.acts_on_placement(of_placement, before) THEN
    WITH earlier AS (
      UPDATE public.placements AS p SET departed_at = this.arrived_at
      FROM public.placements AS this
      WHERE this.id = of_placement AND p.id = this.previous_id AND p.status = 'ended'
        AND public.moved_inside(p.id, this.id)
      RETURNING p.id, p.provider_id, p.receiver_id
    )
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'placement', e.id::text, ARRAY[e.provider_id, e.receiver_id] FROM earlier AS e;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION leave_when_arrived FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leave_when_arrived TO plek_app;

-- End the placement that a household leaves for one at which it arrives. It may be another
-- provider's: the receiver of the new one may do so, and nothing else. True where both are the same
-- provider's in the same region: the ledger has one time there.
CREATE OR REPLACE FUNCTION leave_previous(of_placement uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  old public.placements;
  inside boolean;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  -- The referral first, as everywhere; then look again: they may have left while we waited.
  PERFORM FROM public.referrals AS r
  WHERE r.id = (SELECT p.referral_id
                FROM public.placements AS p JOIN public.placements AS n ON n.previous_id = p.id
                WHERE n.id = of_placement AND n.receiver_id = public.my_provider()
                  AND n.status = 'underway')
  FOR UPDATE;
  SELECT p.* INTO old
  FROM public.placements AS p JOIN public.placements AS n ON n.previous_id = p.id
  WHERE n.id = of_placement AND n.receiver_id = public.my_provider()
    AND n.status = 'underway' AND p.status = 'arrived'
  FOR UPDATE OF p;
  IF FOUND THEN
    inside := old.receiver_id = public.my_provider() AND old.receiving = (
      SELECT n.receiving FROM public.placements AS n WHERE n.id = of_placement);
    UPDATE public.referrals
    SET status = 'ended', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
    WHERE id = old.referral_id
      AND id <> (SELECT n.referral_id FROM public.placements AS n WHERE n.id = of_placement);
    UPDATE public.placements
    SET status = 'ended', departed_at = greatest(moment, old.arrived_at),
        destination = 'follow_on_place'
    WHERE id = old.id;
    -- Who was ready to leave still is, and the ledger's leaf goes on saying so.
    IF inside THEN
      UPDATE public.placements SET ready_to_leave_since = old.ready_to_leave_since
      WHERE id = of_placement;
      INSERT INTO public.ready_periods (placement_id, since)
      SELECT of_placement, old.ready_to_leave_since WHERE old.ready_to_leave_since IS NOT NULL
      ON CONFLICT DO NOTHING;
    END IF;
    PERFORM public.give_up_place(old.id);
    INSERT INTO public.outbox (kind, subject, audience)
    VALUES ('placement', old.id::text, ARRAY[old.provider_id, old.receiver_id]);
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'availability', m.region, ARRAY[old.receiver_id]
    FROM public.sites AS s JOIN public.municipalities AS m ON m.code = s.municipality
    WHERE s.id = old.site_id;
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN inside;
END $$;
REVOKE ALL ON FUNCTION leave_previous FROM PUBLIC;
GRANT EXECUTE ON FUNCTION leave_previous TO plek_app;

-- Take back that a household left a place of the caller's provider, while nothing else claims it and
-- they live nowhere else: the referral first, as everywhere, then the claim, then the placement.
CREATE OR REPLACE FUNCTION take_back_departure(of_placement uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  gone public.placements;
  answer text := 'missing';
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  PERFORM FROM public.referrals AS r
  WHERE r.id = (SELECT p.referral_id FROM public.placements AS p WHERE p.id = of_placement)
    AND public.acts_on_placement(of_placement, before)
  FOR UPDATE;
  IF FOUND THEN
    SELECT p.* INTO gone FROM public.placements AS p WHERE p.id = of_placement;
    PERFORM FROM public.claims AS c WHERE c.place_id = gone.place_id FOR UPDATE;
    SELECT p.* INTO gone FROM public.placements AS p WHERE p.id = of_placement FOR UPDATE;
    answer := CASE
      WHEN gone.receiver_id IS DISTINCT FROM public.my_provider() THEN 'missing'
      WHEN gone.status <> 'ended' THEN 'placement_status'
      WHEN NOT EXISTS (SELECT FROM public.referral_secrets AS s
                       WHERE s.referral_id = gone.referral_id) THEN 'erased'
      WHEN EXISTS (SELECT FROM public.placements AS n
                   WHERE n.stay_id = gone.stay_id AND n.id <> gone.id
                     AND (public.placement_live(n.status)
                          OR n.departed_at > gone.departed_at)) THEN 'moved_on'
      WHEN NOT EXISTS (SELECT FROM public.claims AS c
                       WHERE c.place_id = gone.place_id AND c.claimed_until <= clock_timestamp())
        OR EXISTS (SELECT FROM public.placements AS n
                   WHERE n.place_id = gone.place_id AND n.id <> gone.id
                     AND n.arrived_at IS NOT NULL
                     AND coalesce(n.departed_at, 'infinity') > gone.departed_at)
        THEN 'claimed'
      ELSE 'back' END;
  END IF;
  IF answer = 'back' THEN
    UPDATE public.claims
    SET kind = 'placement', hold_id = NULL, placement_id = gone.id, claimed_until = 'infinity',
        reason = NULL, expected_until = NULL, since = clock_timestamp()
    WHERE place_id = gone.place_id;
    PERFORM public.note_lapsed(NULL, gone.place_id);
    UPDATE public.referrals SET status = 'placed', updated_at = clock_timestamp()
    WHERE id = gone.referral_id AND status = 'ended';
    UPDATE public.blocker_periods SET until = NULL
    WHERE placement_id = gone.id AND until = greatest(since, gone.departed_at);
    UPDATE public.placements
    SET status = 'arrived', departed_at = NULL, destination = NULL,
        blockers = ARRAY(SELECT b.code FROM public.blocker_periods AS b
                         WHERE b.placement_id = gone.id AND b.until IS NULL ORDER BY b.code)
    WHERE id = gone.id;
    UPDATE public.ready_periods SET until = NULL
    WHERE placement_id = gone.id AND until = greatest(noted_at, gone.departed_at);
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN answer;
END $$;
REVOKE ALL ON FUNCTION take_back_departure FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_back_departure TO plek_app;

-- Whether nobody else was in the place of a placement of the caller's from a moment on; where its
-- own household was is for `days_around` to say.
CREATE OR REPLACE FUNCTION could_be_there(of_placement uuid, moment timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  could boolean := false;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.acts_on_placement(of_placement, before) THEN
    could := NOT EXISTS (
      SELECT FROM public.placements AS p JOIN public.placements AS n ON n.id <> p.id
      WHERE p.id = of_placement AND n.arrived_at IS NOT NULL
        AND n.place_id = p.place_id
        AND n.arrived_at < greatest(coalesce(p.departed_at, 'infinity'), moment)
        AND coalesce(n.departed_at, 'infinity') > least(p.departed_at, moment));
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN could;
END $$;
REVOKE ALL ON FUNCTION could_be_there FROM PUBLIC;
GRANT EXECUTE ON FUNCTION could_be_there TO plek_app;

-- The promises at a site: live holds, and placements of households that came or may come yet. A
-- part of the functions below, with whose rights and search path it runs; nobody else may call it.
CREATE OR REPLACE FUNCTION promises_at(of_site uuid) RETURNS TABLE (
  id uuid, referral_id uuid, provider_id uuid, receiver_id uuid, place_id uuid,
  unsafe_since timestamptz
) LANGUAGE sql STABLE AS $$
  SELECT h.id, h.referral_id, h.provider_id, h.receiver_id, h.place_id, h.unsafe_since
  FROM public.holds AS h
  WHERE h.site_id = of_site AND public.hold_live(h.resolved_at, h.expires_at, clock_timestamp())
  UNION ALL
  SELECT p.id, p.referral_id, p.provider_id, p.receiver_id, p.place_id, p.unsafe_since
  FROM public.placements AS p
  WHERE p.site_id = of_site AND public.placement_coming(p.status, p.safety_checked_at)
$$;
REVOKE ALL ON FUNCTION promises_at FROM PUBLIC;

-- Tell both providers of every household at an own site, or on its way there, shielded ones too.
CREATE OR REPLACE FUNCTION raise_alarm(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.our_site(of_site) THEN
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'alarm', p.id::text, ARRAY[p.provider_id, p.receiver_id]
    FROM public.promises_at(of_site) AS p;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION raise_alarm FROM PUBLIC;
GRANT EXECUTE ON FUNCTION raise_alarm TO plek_app;

-- Close what delays a departure when the placement ends.
CREATE OR REPLACE FUNCTION close_periods() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  UPDATE public.blocker_periods
  SET until = greatest(since, coalesce(NEW.departed_at, clock_timestamp()))
  WHERE placement_id = NEW.id AND until IS NULL;
  UPDATE public.ready_periods
  SET until = greatest(noted_at, coalesce(NEW.departed_at, clock_timestamp()))
  WHERE placement_id = NEW.id AND until IS NULL;
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION close_periods FROM PUBLIC;

-- Whether the caller is a coordinator of the provider that owns a site, or the operator, or the
-- worker where the site has just moved. Saying that one is the operator is not enough: the
-- connection must be one of the owner's. Asked by the functions below alone.
CREATE OR REPLACE FUNCTION owns_site(of_site uuid, as_actor text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp STABLE AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM public.sites AS s
    WHERE s.id = of_site
      AND ((s.provider_id = public.my_provider() AND public.i_am('coordinator'))
           OR (as_actor = 'worker' AND s.recheck)
           OR (as_actor = 'operator' AND pg_has_role(session_user, current_user, 'MEMBER'))));
END $$;
REVOKE ALL ON FUNCTION owns_site FROM PUBLIC;

-- Lock the referrals of everybody at a site, the newest first, as for a household that moves on
-- inside it. Others who act on one of them are waited for, and what is read next sees what they
-- did.
CREATE OR REPLACE FUNCTION lock_everybody_at(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM FROM public.referrals AS r
  WHERE r.id IN (SELECT p.referral_id FROM public.promises_at(of_site) AS p)
  ORDER BY r.created_at DESC, r.id FOR UPDATE;
END $$;
REVOKE ALL ON FUNCTION lock_everybody_at FROM PUBLIC;

-- Everybody at an own site, also those shielded from the caller. What is known of them comes out
-- sealed, with its wrapped key: the application alone can compare it with the danger.
CREATE OR REPLACE FUNCTION everybody_at(of_site uuid) RETURNS TABLE (
  life uuid, place uuid, unsafe boolean, hidden boolean, referral uuid, urgency text, reason text,
  origin text, key bytea, sealed bytea
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    PERFORM public.lock_everybody_at(of_site);
    RETURN QUERY
    SELECT p.id, p.place_id, p.unsafe_since IS NOT NULL,
           r.provider_id IS NOT DISTINCT FROM public.my_provider() AND NOT public.unshielded(r.id),
           r.id, r.urgency, r.reason, r.origin, x.key, x.sealed
    FROM public.promises_at(of_site) AS p
    JOIN public.referrals AS r ON r.id = p.referral_id
    JOIN public.referral_secrets AS x ON x.referral_id = r.id
    ORDER BY p.id;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION everybody_at FROM PUBLIC;
GRANT EXECUTE ON FUNCTION everybody_at TO plek_app;

-- Note since when one of them has not been safe, or that they are again. Both providers hear that
-- they should look, and of the danger only that there is one.
CREATE OR REPLACE FUNCTION mark_unsafe(
  of_site uuid, of_life uuid, now_unsafe boolean
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  since timestamptz := CASE WHEN now_unsafe THEN clock_timestamp() END;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    WITH hold AS (
      UPDATE public.holds AS h SET unsafe_since = since
      WHERE h.id = of_life AND h.site_id = of_site AND h.resolved_at IS NULL
      RETURNING h.id, h.provider_id, h.receiver_id
    ), placement AS (
      UPDATE public.placements AS p SET unsafe_since = since
      WHERE p.id = of_life AND p.site_id = of_site
        AND public.placement_coming(p.status, p.safety_checked_at)
      RETURNING p.id, p.provider_id, p.receiver_id
    )
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'alarm', l.id::text, ARRAY[l.provider_id, l.receiver_id]
    FROM (TABLE hold UNION ALL TABLE placement) AS l;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION mark_unsafe FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mark_unsafe TO plek_app;

-- Decline every live hold at an own site: its claim while it is still the hold's, then the
-- referral, then the hold. A hold that is kept for a swap ends with the swap.
CREATE OR REPLACE FUNCTION turn_away(of_site uuid, because text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  held record;
  turned integer := 0;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    PERFORM public.lock_everybody_at(of_site);
    FOR held IN
      SELECT h.id, h.provider_id, h.receiver_id FROM public.holds AS h
      WHERE h.site_id = of_site AND h.resolved_at IS NULL AND h.swap_id IS NULL ORDER BY h.id
    LOOP
      UPDATE public.claims
      SET kind = NULL, hold_id = NULL, placement_id = NULL, claimed_until = '-infinity',
          reason = NULL, since = clock_timestamp()
      WHERE hold_id = held.id AND claimed_until > clock_timestamp();
      CONTINUE WHEN NOT FOUND;
      UPDATE public.referrals
      SET status = 'open', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
      WHERE hold_id = held.id;
      UPDATE public.holds
      SET status = 'declined', reason = because, resolved_at = clock_timestamp()
      WHERE id = held.id AND resolved_at IS NULL;
      INSERT INTO public.outbox (kind, subject, audience)
      VALUES ('hold', held.id::text, ARRAY[held.provider_id, held.receiver_id]);
      turned := turned + 1;
    END LOOP;
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'availability', m.region, ARRAY[s.provider_id]
    FROM public.sites AS s JOIN public.municipalities AS m ON m.code = s.municipality
    WHERE s.id = of_site AND turned > 0;
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN turned;
END $$;
REVOKE ALL ON FUNCTION turn_away FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turn_away TO plek_app;

-- stays
GRANT SELECT, INSERT, UPDATE, DELETE ON stays TO plek_app;
ALTER TABLE stays ENABLE ROW LEVEL SECURITY;
ALTER TABLE stays FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON stays TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON stays FOR SELECT
  USING (
    our_case(provider_id, referral_id)
    OR EXISTS (SELECT FROM placements AS p WHERE p.stay_id = stays.id)
  );
CREATE POLICY "insert" ON stays FOR INSERT WITH CHECK (provider_id = my_provider());
CREATE POLICY exchange_insert ON stays FOR INSERT
  WITH CHECK ((SELECT acting()) = 'exchange' AND in_live_swap(referral_id));

-- placements:
-- Seen and changed by the provider that sends and the one that receives; seen by auditors of the
-- two regions.
GRANT SELECT, INSERT, UPDATE, DELETE ON placements TO plek_app;
CREATE OR REPLACE TRIGGER end_alternative
  AFTER UPDATE OF status ON placements
  FOR EACH ROW WHEN (NEW.status = 'arrived' AND OLD.status <> 'arrived')
  EXECUTE FUNCTION end_alternative('placed');
CREATE OR REPLACE TRIGGER resume_alternative
  AFTER UPDATE OF status ON placements
  FOR EACH ROW WHEN (NEW.status = 'no_show' AND OLD.status = 'arrived')
  EXECUTE FUNCTION resume_alternative();
CREATE OR REPLACE TRIGGER close_periods AFTER UPDATE OF status ON placements
  FOR EACH ROW WHEN (NEW.status IN ('no_show', 'ended')) EXECUTE FUNCTION close_periods();
ALTER TABLE placements ENABLE ROW LEVEL SECURITY;
ALTER TABLE placements FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON placements TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON placements FOR SELECT
  USING (
    acting() = 'worker'
    OR (i_am('auditor') AND my_region() IN (origin_region, receiving))
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, receiver_id)
  );
CREATE POLICY "insert" ON placements FOR INSERT WITH CHECK (provider_id = my_provider());
CREATE POLICY "update" ON placements FOR UPDATE
  USING (
    acting() = 'worker'
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, receiver_id)
  );
CREATE POLICY exchange_insert ON placements FOR INSERT
  WITH CHECK ((SELECT acting()) = 'exchange' AND in_live_swap(referral_id));
CREATE POLICY exchange_select ON placements FOR SELECT USING ((SELECT acting()) = 'exchange');
CREATE POLICY exchange_update ON placements FOR UPDATE USING ((SELECT acting()) = 'exchange');

-- blocker_periods
GRANT SELECT, INSERT, UPDATE ON blocker_periods TO plek_app;
ALTER TABLE blocker_periods ENABLE ROW LEVEL SECURITY;
ALTER TABLE blocker_periods FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON blocker_periods TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON blocker_periods FOR SELECT
  USING (
    ((SELECT my_provider()) IS NOT NULL
     AND EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id))
    OR (SELECT acting()) = 'worker'
  );
CREATE POLICY "insert" ON blocker_periods FOR INSERT
  WITH CHECK (received_here(placement_id));
CREATE POLICY "update" ON blocker_periods FOR UPDATE
  USING (received_here(placement_id));

-- ready_periods
GRANT SELECT, INSERT, UPDATE ON ready_periods TO plek_app;
ALTER TABLE ready_periods ENABLE ROW LEVEL SECURITY;
ALTER TABLE ready_periods FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON ready_periods TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON ready_periods FOR SELECT
  USING (
    (SELECT my_provider()) IS NOT NULL
    AND EXISTS (SELECT FROM placements AS p WHERE p.id = placement_id)
  );
CREATE POLICY "insert" ON ready_periods FOR INSERT
  WITH CHECK (received_here(placement_id));
CREATE POLICY "update" ON ready_periods FOR UPDATE
  USING (received_here(placement_id));
