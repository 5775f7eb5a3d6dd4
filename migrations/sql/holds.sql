-- Holds and claims, and the answers that are kept for repeated requests.

-- A hold on a place that is taken over may have run out without being noted, at a provider whose
-- rows the caller may not see. Everyone may note it: this does what the sweeper would do, and
-- tells no more than the status.
CREATE OR REPLACE FUNCTION note_lapsed(of_referral uuid, of_place uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  WITH lapsed AS (
    UPDATE public.holds
    SET status = CASE status WHEN 'pending' THEN 'no_answer' ELSE 'expired' END,
        resolved_at = clock_timestamp()
    -- Two look-ups, each by its index: under one OR a plan may read every hold there is.
    WHERE id IN (SELECT h.id FROM public.holds AS h
                 WHERE h.resolved_at IS NULL AND h.referral_id = of_referral
                 UNION SELECT h.id FROM public.holds AS h
                 WHERE h.resolved_at IS NULL AND h.place_id = of_place)
      AND resolved_at IS NULL AND expires_at <= clock_timestamp()
    RETURNING id, provider_id, receiver_id, status
  ), told AS (
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'hold', id::text, ARRAY[provider_id, receiver_id] FROM lapsed
  ), opened AS (
    -- Not the one that is being held anew; and none that is locked: it counts as open already.
    UPDATE public.referrals
    SET status = 'open', hold_id = NULL, held_until = NULL, updated_at = clock_timestamp()
    WHERE id IN (SELECT r.id FROM public.referrals AS r JOIN lapsed ON lapsed.id = r.hold_id
                 WHERE r.id IS DISTINCT FROM of_referral FOR UPDATE OF r SKIP LOCKED)
  )
  SELECT status FROM lapsed;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION note_lapsed FROM PUBLIC;
GRANT EXECUTE ON FUNCTION note_lapsed TO plek_app;

-- Whether a decline still keeps its site from being offered to the referral. One for want of staff or
-- of a place lapses after the policy's hours, or when the site confirms that all there is true; one
-- of an unsafe site when it is safe again; any other when it is taken back.
CREATE OR REPLACE FUNCTION decline_bars(
  of_site uuid, status text, reason text, resolved_at timestamptz, withdrawn_at timestamptz
) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN status = 'declined' AND withdrawn_at IS NULL AND CASE
    WHEN reason = 'site_unsafe' THEN
      EXISTS (SELECT FROM public.sites AS s
              WHERE s.id = of_site AND s.compromised_because IS NOT NULL)
    WHEN reason IN ('staffing', 'no_capacity_after_all') THEN
      resolved_at > clock_timestamp() - make_interval(hours => public.policy_number('decline_hours'))
      AND NOT EXISTS (SELECT FROM public.sites AS s
                      WHERE s.id = of_site AND s.confirmed_at > resolved_at)
    ELSE true END;
END $$;
REVOKE ALL ON FUNCTION decline_bars FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decline_bars TO plek_app;

-- Take back a decline of the caller's provider: the hold stays as it is, the site is offered again.
-- The receiver sees no referral whose hold is over, so the database says whether it is open.
CREATE OR REPLACE FUNCTION withdraw_decline(of_hold uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  ours uuid := public.my_provider();
  held public.holds;
  answer text := 'missing';
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  -- The referral before the hold, as everywhere.
  PERFORM FROM public.referrals AS r
  WHERE r.id = (SELECT h.referral_id FROM public.holds AS h
                WHERE h.id = of_hold AND h.receiver_id = ours)
  FOR UPDATE;
  SELECT h.* INTO held FROM public.holds AS h
  WHERE h.id = of_hold AND h.receiver_id = ours FOR UPDATE;
  IF held.id IS NULL THEN
    answer := 'missing';
  ELSIF held.status <> 'declined' THEN
    answer := 'not_declined';
  ELSIF NOT EXISTS (
    SELECT FROM public.referrals AS r
    WHERE r.id = held.referral_id
      AND (r.status = 'open' OR (r.status = 'held' AND r.held_until <= clock_timestamp()))
  ) THEN
    answer := 'referral_not_open';
  ELSE
    answer := 'withdrawn';
    UPDATE public.holds AS h SET decline_withdrawn_at = clock_timestamp()
    WHERE h.id = held.id AND h.decline_withdrawn_at IS NULL;
    INSERT INTO public.outbox (kind, subject, audience)
    SELECT 'hold', held.id::text, ARRAY[held.provider_id, held.receiver_id]
    WHERE held.decline_withdrawn_at IS NULL;
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN answer;
END $$;
REVOKE ALL ON FUNCTION withdraw_decline FROM PUBLIC;
GRANT EXECUTE ON FUNCTION withdraw_decline TO plek_app;

-- Hold any free place of some groups for a referral of the caller's desk: one call has the guard,
-- the claim, and all that a hold brings with it. It asks once who calls, and whether the referral
-- is theirs and not shielded from them; its own changes are not asked the same again row by row.
--
-- The referral must be open, and the ranking neither older than the policy allows nor older than
-- what is known now of the referral. Groups at sites that changed since, or declined, are passed
-- over; one at least must be left. A household that does not flee leaves its region only if the
-- register is as it was (`register_version`) and no place that goes first (`go_first`) is free,
-- NULL for one of which that is not known. Then a place is locked that nobody else has locked, of
-- the first group that has one, or, if all are, one that others give up. Holds that ran out on
-- this referral or place are resolved, so that the new one is the only live one.
--
-- What could not be is said by a count of 0; the caller takes back what was done before that.
CREATE OR REPLACE FUNCTION take_hold(
  new_hold uuid, of_referral uuid, of_ranking uuid, ranking_minutes integer, of_groups uuid[],
  by_receiver uuid, with_rank integer, of_kind text, leaves_region boolean, for_reason text,
  new_status text, by_whom text, when_accepted timestamptz, until timestamptz, renewals integer,
  to_route text, with_key text, of_request bytea, with_status integer, sealed_answer bytea,
  from_source text, with_request_id text, go_first uuid[], at_register bigint
) RETURNS TABLE (referrals integer, claims integer, answers integer, lapsed text[])
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE
  before text := public.acting();
  desk uuid := public.my_provider();
  account uuid := public.my_account();
  moment timestamptz := clock_timestamp();
  may_leave boolean := false;
  groups uuid[];
  of_group uuid;
  of_site uuid;
  of_region text;
  place uuid;
BEGIN
  referrals := 0; claims := 0; answers := 0; lapsed := '{}';
  IF desk IS NULL OR NOT public.i_find_places() OR NOT public.unshielded(of_referral) THEN
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  IF leaves_region AND go_first IS NOT NULL THEN
    may_leave := (SELECT h.value FROM public.heads AS h WHERE h.name = 'register') = at_register
      AND NOT EXISTS (
        SELECT FROM public.claims AS c JOIN public.place_groups AS o ON o.id = c.group_id
        WHERE c.group_id = ANY (go_first) AND c.claimed_until <= moment
          AND NOT EXISTS (SELECT FROM public.holds AS h WHERE h.referral_id = of_referral
                          AND h.site_id = o.site_id AND h.status = 'declined'
                          AND public.decline_bars(h.site_id, h.status, h.reason, h.resolved_at,
                                                  h.decline_withdrawn_at)));
  END IF;
  UPDATE public.referrals AS f
  SET status = 'held', hold_id = new_hold, held_until = until, updated_at = clock_timestamp()
  FROM public.rankings AS r
  WHERE f.id = of_referral AND f.provider_id = desk
    AND (f.status = 'open' OR (f.status = 'held' AND f.held_until <= clock_timestamp()))
    AND r.id = of_ranking AND r.referral_id = f.id AND r.referral_version = f.version
    AND r.as_of > clock_timestamp() - make_interval(mins => ranking_minutes)
    AND (f.reason = 'safety' OR NOT leaves_region OR may_leave);
  IF FOUND THEN
    -- Only now, with the referral locked: what others have declined or changed until here counts.
    groups := ARRAY(
      SELECT g.id
      FROM unnest(of_groups) WITH ORDINALITY AS o (id, place)
           JOIN public.place_groups AS g ON g.id = o.id
           JOIN public.sites AS s ON s.id = g.site_id
      WHERE s.status = 'approved'
        AND s.revision <= (SELECT r.register_version FROM public.rankings AS r
                           WHERE r.id = of_ranking)
        AND NOT EXISTS (SELECT FROM public.holds AS h WHERE h.referral_id = of_referral
                        AND h.site_id = s.id AND h.status = 'declined'
                        AND public.decline_bars(h.site_id, h.status, h.reason, h.resolved_at,
                                                h.decline_withdrawn_at))
      ORDER BY o.place);
    referrals := (groups <> '{}')::integer;
    IF groups = '{}' THEN
      UPDATE public.referrals AS f SET status = 'open', hold_id = NULL, held_until = NULL
      WHERE f.id = of_referral;
    END IF;
    FOREACH of_group IN ARRAY groups LOOP
      place := (SELECT c.place_id FROM public.claims AS c
                WHERE c.group_id = of_group AND c.claimed_until <= moment
                ORDER BY c.claimed_until LIMIT 1 FOR UPDATE SKIP LOCKED);
      EXIT WHEN place IS NOT NULL;
    END LOOP;
    IF place IS NULL THEN
      FOREACH of_group IN ARRAY groups LOOP
        place := (SELECT c.place_id FROM public.claims AS c
                  WHERE c.group_id = of_group AND c.claimed_until <= moment
                  ORDER BY c.claimed_until LIMIT 1 FOR UPDATE);
        EXIT WHEN place IS NOT NULL;
      END LOOP;
    END IF;
  END IF;
  IF place IS NOT NULL THEN
    claims := 1;
    SELECT s.id, m.region INTO of_site, of_region
    FROM public.place_groups AS g JOIN public.sites AS s ON s.id = g.site_id
         JOIN public.municipalities AS m ON m.code = s.municipality
    WHERE g.id = of_group;
    FOR attempt IN 1..2 LOOP
      INSERT INTO public.holds (
        id, referral_id, provider_id, receiver_id, place_id, site_id, kind, ranking_id, rank,
        override_reason, status, accepted_by, accepted_at, expires_at, renewals_left)
      VALUES (
        new_hold, of_referral, desk, by_receiver, place, of_site, of_kind, of_ranking, with_rank,
        for_reason, new_status, by_whom, when_accepted, until, renewals)
      ON CONFLICT DO NOTHING;
      EXIT WHEN FOUND;
      -- Another hold of this referral or place has not been noted as run out.
      lapsed := ARRAY(SELECT public.note_lapsed(of_referral, place));
      IF attempt = 2 OR lapsed = '{}' THEN
        RAISE EXCEPTION 'another hold is live' USING ERRCODE = 'unique_violation';
      END IF;
    END LOOP;
    UPDATE public.claims AS c
    SET kind = 'hold', hold_id = new_hold, placement_id = NULL, claimed_until = until,
        reason = NULL, expected_until = NULL, since = clock_timestamp()
    WHERE c.place_id = place;
    INSERT INTO public.answers (
      account_id, route, key, fingerprint, provider_id, region, referral_id, status, sealed)
    VALUES (
      account, to_route, with_key, of_request, desk, public.my_region(), of_referral, with_status,
      sealed_answer)
    ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS answers = ROW_COUNT;
    INSERT INTO public.outbox (kind, subject, audience) VALUES
      ('hold', new_hold::text, ARRAY[desk, by_receiver]),
      ('availability', of_region, ARRAY[by_receiver]);
    INSERT INTO public.access_log (
      action, outcome, account_id, roles, provider_id, object_type, object_id, referral_ids,
      source, request_id)
    VALUES (
      'hold', 'granted', account, string_to_array(current_setting('plek.roles', true), ' '),
      desk, 'hold', new_hold, ARRAY[of_referral], from_source, with_request_id);
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION take_hold FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_hold TO plek_app;

-- holds:
-- Seen and changed by the provider that asks and the one that is asked.
GRANT SELECT, INSERT, UPDATE, DELETE ON holds TO plek_app;
CREATE OR REPLACE TRIGGER spend_hold BEFORE INSERT ON holds
  FOR EACH ROW EXECUTE FUNCTION spend_hold();
ALTER TABLE holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE holds FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON holds TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON holds FOR SELECT
  USING (
    acting() = 'worker'
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, receiver_id)
    OR (i_am('auditor') AND placed_from(id))
  );
CREATE POLICY "insert" ON holds FOR INSERT WITH CHECK (provider_id = my_provider());
CREATE POLICY "update" ON holds FOR UPDATE
  USING (
    acting() = 'worker'
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, receiver_id)
  );
CREATE POLICY exchange_insert ON holds FOR INSERT
  WITH CHECK ((SELECT acting()) = 'exchange' AND in_live_swap(referral_id));
CREATE POLICY exchange_select ON holds FOR SELECT USING ((SELECT acting()) = 'exchange');
CREATE POLICY exchange_update ON holds FOR UPDATE USING ((SELECT acting()) = 'exchange');

-- claims:
-- A place that is free, or whose hold ran out, may be claimed by any provider; a claimed one is
-- changed only by those concerned.
GRANT SELECT, INSERT, UPDATE, DELETE ON claims TO plek_app;
CREATE OR REPLACE TRIGGER keep_proposed BEFORE INSERT OR UPDATE OF kind ON claims
  FOR EACH ROW WHEN (NEW.kind IS NULL) EXECUTE FUNCTION keep_proposed();
CREATE OR REPLACE TRIGGER note_new AFTER INSERT ON claims
  FOR EACH ROW WHEN (NEW.kind IS NULL) EXECUTE FUNCTION note_vacancy();
CREATE OR REPLACE TRIGGER note_freed
  AFTER UPDATE OF kind, group_id ON claims
  FOR EACH ROW WHEN (NEW.kind IS NULL AND (OLD.kind IS NOT NULL OR OLD.group_id <> NEW.group_id))
  EXECUTE FUNCTION note_vacancy();
ALTER TABLE claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE claims FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON claims TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON claims FOR SELECT
  USING ((SELECT my_provider()) IS NOT NULL OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON claims FOR INSERT WITH CHECK (our_place(place_id));
CREATE POLICY "update" ON claims FOR UPDATE
  USING (
    acting() = 'worker'
    OR (my_provider() IS NOT NULL
        AND (claimed_until <= clock_timestamp()
             OR claim_concerns_us(hold_id, placement_id, place_id)))
  )
  WITH CHECK ((SELECT my_provider()) IS NOT NULL OR (SELECT acting()) = 'worker');
CREATE POLICY exchange_update ON claims FOR UPDATE USING ((SELECT acting()) = 'exchange');

-- answers
GRANT SELECT, INSERT, UPDATE, DELETE ON answers TO plek_app;
ALTER TABLE answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE answers FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON answers TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON answers FOR SELECT
  USING (
    acting() = 'worker'
    OR (account_id = my_account()
        AND unshielded(answers.referral_id)
        AND NOT EXISTS (SELECT FROM unnest(answers.referral_ids) AS r (id)
                        WHERE NOT unshielded(r.id)))
  );
CREATE POLICY "insert" ON answers FOR INSERT WITH CHECK (account_id = my_account());
CREATE POLICY "update" ON answers FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON answers FOR DELETE USING ((SELECT acting()) = 'worker');
