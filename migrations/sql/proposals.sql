-- Proposals: a new site, or a change of where one is or who knows it, and who approves that.

-- Whether an account may be a second person to another: it is another one, neither of them invited
-- or reset the other or gave it its role, no coordinator of this provider did so to the second one
-- just now, and no third account made them both, or did so to both and to one of them just now.
CREATE OR REPLACE FUNCTION independent_of(
  approver uuid, proposer uuid, of_provider uuid
) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE days integer := public.policy_number('independence_days');
BEGIN
  RETURN approver <> proposer AND NOT EXISTS (
    SELECT FROM public.account_acts AS a
    WHERE (a.account_id = approver AND a.by_account = proposer)
       OR (a.account_id = proposer AND a.by_account = approver)
       OR (a.account_id = approver AND a.by_coordinator_of = of_provider
           AND a.at > clock_timestamp() - make_interval(days => days)))
    AND NOT EXISTS (
    SELECT FROM public.account_acts AS a JOIN public.account_acts AS b USING (by_account)
    WHERE a.account_id = approver AND b.account_id = proposer
      AND ((a.act = 'made' AND b.act = 'made')
           OR greatest(a.at, b.at) > clock_timestamp() - make_interval(days => days)));
END $$;
REVOKE ALL ON FUNCTION independent_of FROM PUBLIC;

-- Whether a provider has a coordinator who may approve what another one proposed, and can come in.
CREATE OR REPLACE FUNCTION has_second_coordinator(of_provider uuid, proposer uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (
    SELECT FROM public.accounts AS a
    WHERE a.provider_id = of_provider AND 'coordinator' = ANY (a.roles) AND a.disabled_at IS NULL
      AND (EXISTS (SELECT FROM public.credentials AS c
                   WHERE c.account_id = a.id AND c.enrolled_at IS NOT NULL)
           OR EXISTS (SELECT FROM public.tokens AS t
                      WHERE t.account_id = a.id
                        AND public.token_valid(t.revoked_at, t.expires_at, clock_timestamp())))
      AND public.independent_of(a.id, proposer, of_provider));
END $$;
REVOKE ALL ON FUNCTION has_second_coordinator FROM PUBLIC;

-- Whose approval a proposal still needs. A part of the functions below, which act as the operator.
CREATE OR REPLACE FUNCTION proposal_awaits(of_proposal uuid) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  proposal public.site_proposals;
  second boolean;
  works_there boolean;
BEGIN
  SELECT p.* INTO proposal FROM public.site_proposals AS p WHERE p.id = of_proposal;
  second := proposal.coordinator_id IS NOT NULL
    OR public.has_second_coordinator(proposal.provider_id, proposal.proposed_by);
  works_there := EXISTS (
    SELECT FROM public.sites AS s
    JOIN public.municipalities AS m ON m.code = coalesce(proposal.municipality, s.municipality)
    JOIN public.provider_regions AS r ON r.region = m.region
    WHERE s.id = proposal.site_id AND r.provider_id = proposal.provider_id);
  RETURN array_remove(ARRAY[
    CASE WHEN second AND proposal.coordinator_id IS NULL THEN 'coordinator' END,
    CASE WHEN (NOT second OR NOT works_there) AND proposal.administrator_id IS NULL
         THEN 'administrator' END], NULL);
END $$;
REVOKE ALL ON FUNCTION proposal_awaits FROM PUBLIC;

-- Tell the senders of everybody at a site, or on the way there, that its address changes or that
-- this has been decided. A part of the functions below.
CREATE OR REPLACE FUNCTION tell_senders(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT CASE WHEN EXISTS (SELECT FROM public.holds AS h WHERE h.id = p.id)
              THEN 'hold' ELSE 'placement' END, p.id::text, ARRAY[p.provider_id]
  FROM public.promises_at(of_site) AS p WHERE p.provider_id <> p.receiver_id;
END $$;
REVOKE ALL ON FUNCTION tell_senders FROM PUBLIC;

-- Propose an own new site, or a change of an own site; what is not given stays as it is. Only who
-- proposed something changes it before it is decided, and what one half had approved starts anew.
CREATE OR REPLACE FUNCTION propose_site(
  of_site uuid, new_id uuid, to_municipality text, to_secrecy text, to_address bytea
) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  site public.sites;
  live public.site_proposals;
  answer text := 'proposed';
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT s.* INTO site FROM public.sites AS s
  WHERE s.id = of_site AND s.provider_id = public.my_provider() AND public.i_am('coordinator')
  FOR NO KEY UPDATE;
  SELECT p.* INTO live FROM public.site_proposals AS p
  WHERE p.site_id = site.id AND p.outcome IS NULL;
  IF site.id IS NULL THEN
    answer := 'missing';
  ELSIF site.status = 'rejected' THEN
    answer := 'rejected';
  ELSIF live.proposed_by <> public.my_account() THEN
    answer := 'pending';
  ELSE
    UPDATE public.site_proposals SET outcome = 'replaced', decided_at = clock_timestamp()
    WHERE id = live.id;
    INSERT INTO public.site_proposals
      (id, site_id, provider_id, proposed_by, municipality, address_secrecy, moved_to)
    VALUES (new_id, site.id, site.provider_id, public.my_account(),
            nullif(coalesce(to_municipality, live.municipality), site.municipality),
            nullif(coalesce(to_secrecy, live.address_secrecy), site.address_secrecy),
            coalesce(to_address, live.moved_to));
    UPDATE public.site_proposals SET outcome = 'replaced', decided_at = clock_timestamp()
    WHERE id = new_id AND site.status = 'approved'
      AND municipality IS NULL AND address_secrecy IS NULL AND moved_to IS NULL;
    IF site.status = 'approved' AND (to_municipality IS NOT NULL OR to_address IS NOT NULL) THEN
      PERFORM public.tell_senders(site.id);
    END IF;
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN answer;
END $$;
REVOKE ALL ON FUNCTION propose_site FROM PUBLIC;
GRANT EXECUTE ON FUNCTION propose_site TO plek_app;

-- Keep the address of an own site secret from now on: that only makes it safer, so one does it.
CREATE OR REPLACE FUNCTION make_confidential(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    UPDATE public.sites SET address_secrecy = 'confidential', automatic_acceptance = false
    WHERE id = of_site;
    UPDATE public.site_proposals AS p
    SET address_secrecy = NULL,
        outcome = CASE WHEN p.municipality IS NULL AND p.moved_to IS NULL
                        AND s.status = 'approved' THEN 'replaced' END,
        decided_at = CASE WHEN p.municipality IS NULL AND p.moved_to IS NULL
                           AND s.status = 'approved' THEN clock_timestamp() END
    FROM public.sites AS s
    WHERE s.id = of_site AND p.site_id = s.id AND p.outcome IS NULL
      AND p.address_secrecy IS NOT NULL;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION make_confidential FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_confidential TO plek_app;

-- Let a proposal that has been approved stand: the site is there, or has moved, from now on. A part
-- of the function below.
CREATE OR REPLACE FUNCTION let_stand(of_proposal uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  proposal public.site_proposals;
  site public.sites;
  version bigint;
BEGIN
  SELECT p.* INTO proposal FROM public.site_proposals AS p WHERE p.id = of_proposal;
  SELECT s.* INTO site FROM public.sites AS s WHERE s.id = proposal.site_id;
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT DISTINCT 'availability', m.region, ARRAY[site.provider_id] FROM public.municipalities AS m
  WHERE m.code IN (site.municipality, proposal.municipality) ORDER BY 2;
  UPDATE public.sites AS s
  SET municipality = coalesce(proposal.municipality, s.municipality),
      address_secrecy = coalesce(proposal.address_secrecy, s.address_secrecy),
      status = 'approved',
      -- Of another address in the same municipality nobody but the owner learns.
      approved_at = CASE WHEN s.status = 'approved' AND proposal.municipality IS NULL
                         THEN s.approved_at ELSE clock_timestamp() END,
      recheck = s.recheck OR (s.status = 'approved'
                              AND coalesce(proposal.municipality, proposal.address_secrecy)
                                  IS NOT NULL)
  WHERE s.id = site.id;
  UPDATE public.site_secrets SET moved_to = coalesce(proposal.moved_to, moved_to)
  WHERE site_id = site.id;
  UPDATE public.claims SET kind = NULL, claimed_until = '-infinity', since = clock_timestamp()
  WHERE kind = 'proposed'
    AND place_id IN (SELECT p.id FROM public.places AS p WHERE p.site_id = site.id);
  UPDATE public.site_proposals SET outcome = 'approved', decided_at = clock_timestamp()
  WHERE id = proposal.id;
  -- Nor does it outdate a ranking.
  IF site.status <> 'approved'
     OR coalesce(proposal.municipality, proposal.address_secrecy) IS NOT NULL THEN
    UPDATE public.heads SET value = value + 1 WHERE name = 'register' RETURNING value INTO version;
    UPDATE public.sites SET revision = version WHERE id = site.id;
  END IF;
END $$;
REVOKE ALL ON FUNCTION let_stand FROM PUBLIC;

-- Approve or reject what is proposed of a site, as the caller; say what became of it, or why
-- nothing did: `missing`, `nothing_proposed`, `proposal_changed` (it is not the one that the caller
-- saw), `same_person`, `not_awaited`. The site is locked first, so that who proposes and who
-- decides take turns, and before it the places that would come free, as whoever changes one of
-- them does.
CREATE OR REPLACE FUNCTION decide_site(
  of_site uuid, of_proposal uuid, approve boolean
) RETURNS TABLE (status text, awaits text[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  me uuid := public.my_account();
  site public.sites;
  live public.site_proposals;
  is_ours boolean;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  PERFORM FROM public.claims AS c
  JOIN public.places AS p ON p.id = c.place_id JOIN public.sites AS s ON s.id = p.site_id
  WHERE s.id = of_site AND s.status = 'proposed' ORDER BY c.place_id FOR UPDATE OF c;
  SELECT s.* INTO site FROM public.sites AS s
  WHERE s.id = of_site
    AND ((s.provider_id = public.my_provider() AND public.i_am('coordinator'))
         OR public.i_am('administrator'))
  FOR UPDATE;
  SELECT p.* INTO live FROM public.site_proposals AS p
  WHERE p.site_id = site.id AND p.outcome IS NULL;
  -- An administrator works for no provider.
  is_ours := coalesce(site.provider_id = public.my_provider() AND public.i_am('coordinator'), false);
  awaits := CASE WHEN live.id IS NULL THEN '{}' ELSE public.proposal_awaits(live.id) END;
  IF site.id IS NULL OR NOT (is_ours OR 'administrator' = ANY (awaits)) THEN
    status := 'missing';
  ELSIF live.id IS NULL THEN
    status := 'nothing_proposed';
  ELSIF live.id <> of_proposal THEN
    status := 'proposal_changed';
  ELSIF NOT approve THEN
    status := 'rejected';
    UPDATE public.site_proposals SET outcome = 'rejected', decided_at = clock_timestamp()
    WHERE id = live.id;
    UPDATE public.sites AS s SET status = 'rejected' WHERE s.id = site.id AND s.status = 'proposed';
    -- Another one may be proposed by the same name.
    UPDATE public.site_secrets AS t SET name_hash = NULL
    FROM public.sites AS s
    WHERE t.site_id = site.id AND s.id = t.site_id AND s.status = 'rejected';
  ELSIF me IN (live.coordinator_id, live.administrator_id)
     OR NOT public.independent_of(me, live.proposed_by, live.provider_id) THEN
    status := 'same_person';
  ELSIF is_ours AND 'coordinator' = ANY (awaits) THEN
    UPDATE public.site_proposals SET coordinator_id = me WHERE id = live.id;
    status := 'proposed';
  ELSIF public.i_am('administrator') AND 'administrator' = ANY (awaits) THEN
    UPDATE public.site_proposals SET administrator_id = me WHERE id = live.id;
    status := 'proposed';
  ELSE
    status := 'not_awaited';
  END IF;
  IF status = 'proposed' THEN
    awaits := public.proposal_awaits(live.id);
    IF awaits = '{}' THEN
      status := 'approved';
      PERFORM public.let_stand(live.id);
    END IF;
  ELSE
    awaits := '{}';
  END IF;
  IF status IN ('approved', 'rejected') AND site.status = 'approved'
     AND (live.municipality IS NOT NULL OR live.moved_to IS NOT NULL) THEN
    PERFORM public.tell_senders(site.id);
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION decide_site FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decide_site TO plek_app;

-- Tell the coordinators of a site's provider of an entry of the access log about it, of which an
-- administrator would see no audience.
CREATE OR REPLACE FUNCTION tell_coordinators(of_site uuid, entry text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT 'access', entry, ARRAY[s.provider_id] FROM public.sites AS s
  WHERE s.id = of_site
    AND ((s.provider_id = public.my_provider() AND public.i_am('coordinator'))
         OR public.i_am('administrator'));
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION tell_coordinators FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tell_coordinators TO plek_app;

-- What waits for approval, as far as it concerns the caller: everything of the own provider to a
-- coordinator, to an administrator what an administrator has to approve. Never an address.
CREATE OR REPLACE FUNCTION awaited_proposals(of_site uuid) RETURNS TABLE (
  id uuid, site_id uuid, provider_id uuid, proposed_by uuid, proposer text,
  proposed_at timestamptz, is_new boolean, was_municipality text, municipality text,
  was_secrecy text, address_secrecy text, moves boolean, places bigint, awaits text[],
  awaits_me boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  RETURN QUERY
  SELECT p.id, p.site_id, p.provider_id, p.proposed_by, a.name, p.proposed_at,
         s.status = 'proposed', s.municipality, p.municipality, s.address_secrecy,
         p.address_secrecy, p.moved_to IS NOT NULL,
         (SELECT count(*) FROM public.places AS c WHERE c.site_id = s.id), w.awaits,
         coalesce(public.my_account() NOT IN
                    (coalesce(p.coordinator_id, p.proposed_by),
                     coalesce(p.administrator_id, p.proposed_by))
                  AND public.independent_of(public.my_account(), p.proposed_by, p.provider_id)
                  AND ((ours.so AND 'coordinator' = ANY (w.awaits))
                       OR (public.i_am('administrator') AND 'administrator' = ANY (w.awaits))),
                  false)
  FROM public.site_proposals AS p
  JOIN public.sites AS s ON s.id = p.site_id
  JOIN public.accounts AS a ON a.id = p.proposed_by
  CROSS JOIN LATERAL (SELECT public.proposal_awaits(p.id)) AS w (awaits)
  CROSS JOIN LATERAL (SELECT coalesce(p.provider_id = public.my_provider()
                                      AND public.i_am('coordinator'), false)) AS ours (so)
  WHERE p.outcome IS NULL AND (of_site IS NULL OR p.site_id = of_site)
    AND (ours.so OR (public.i_am('administrator') AND 'administrator' = ANY (w.awaits)))
  ORDER BY p.proposed_at, p.id;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION awaited_proposals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION awaited_proposals TO plek_app;

-- Note that everybody at a site has been compared with the danger after it moved.
CREATE OR REPLACE FUNCTION note_rechecked(of_site uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  IF public.owns_site(of_site, before) THEN
    UPDATE public.sites SET recheck = false WHERE id = of_site;
  END IF;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION note_rechecked FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_rechecked TO plek_app;

-- site_proposals:
-- Written by the functions above alone; read by the coordinators of the provider.
GRANT SELECT ON site_proposals TO plek_app;
ALTER TABLE site_proposals ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_proposals FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON site_proposals TO CURRENT_USER USING (true);
CREATE POLICY "select" ON site_proposals FOR SELECT
  USING (provider_id = (SELECT my_provider()) AND (SELECT i_am('coordinator')));
