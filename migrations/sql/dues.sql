-- Dues: what an organisation has to do by a moment, and who has seen that.
--
-- A due follows from a row. For each table that asks for something, a trigger below says which dues
-- its row asks for as it stands now: kind, moment, whose. Whatever changes the row, an act, the
-- sweeper or another function of these files, so opens and ends its dues in its own transaction, and
-- in the order in which that row is locked. Nothing is ever looked for in tables that grow.
--
-- A new kind: a line in the trigger of its table, its name in `DUE_KINDS` (app/models/dues.py), a
-- row in `KINDS` (app/dues/kinds.py), its words in the list `dues` of the codes.

-- Let the dues of some kinds of one subject be those that are asked for, for each of some
-- organisations, and end the others of these kinds. The kinds and their moments go together; no
-- moment: nothing is to be done. Among the organisations NULL stands for the administrators. Those
-- whose work it is are told when it is due, unless they are to be told at once.
--
-- Who ends a due by doing what was due has seen it; who had heard of it hears that it is over.
CREATE OR REPLACE FUNCTION keep_dues(
  of_subject uuid, of_referral uuid, of_kinds text[], moments timestamptz[], organisations uuid[],
  told_at_once boolean DEFAULT false, by_others_than uuid DEFAULT NULL
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  WITH ended AS (
    UPDATE public.dues AS d SET ended_at = clock_timestamp()
    WHERE d.subject_id = of_subject AND d.kind = ANY (of_kinds) AND d.ended_at IS NULL
      AND d.referral_id IS NOT DISTINCT FROM of_referral
      AND NOT EXISTS (
        SELECT FROM unnest(of_kinds, moments) AS a (kind, moment), unnest(organisations) AS o (id)
        WHERE a.kind = d.kind AND a.moment = d.due_at AND o.id IS NOT DISTINCT FROM d.provider_id)
    RETURNING d.id, d.provider_id, d.rung_at
  ), done AS (
    INSERT INTO public.due_sights (due_id, account_id)
    SELECT ended.id, public.my_account() FROM ended
    WHERE public.my_account() IS NOT NULL
      AND CASE WHEN ended.provider_id IS NULL THEN public.i_am('administrator')
               ELSE ended.provider_id = public.my_provider() END
    ON CONFLICT DO NOTHING
  )
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT 'due', ended.id::text, ARRAY[ended.provider_id] FROM ended
  WHERE ended.rung_at IS NOT NULL AND ended.provider_id IS NOT NULL;
  INSERT INTO public.dues (kind, subject_id, referral_id, provider_id, not_by, due_at, rings_at)
  SELECT DISTINCT a.kind, of_subject, of_referral, o.id, by_others_than, a.moment,
         CASE WHEN told_at_once THEN clock_timestamp() ELSE a.moment END
  FROM unnest(of_kinds, moments) AS a (kind, moment), unnest(organisations) AS o (id)
  WHERE a.moment IS NOT NULL
  ON CONFLICT DO NOTHING;
END $$;
REVOKE ALL ON FUNCTION keep_dues FROM PUBLIC;

-- A hold waits for the answer of the provider whose place it is, until it runs out.
CREATE OR REPLACE FUNCTION keep_hold_dues() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.keep_dues(
    NEW.id, NEW.referral_id, ARRAY['hold_to_answer'],
    ARRAY[CASE WHEN NEW.status = 'pending' THEN NEW.expires_at END],
    ARRAY[NEW.receiver_id], told_at_once => true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_hold_dues FROM PUBLIC;

-- Both sides miss a household that does not arrive, or whose safety nobody has checked since, and
-- both see to it that it goes back on the day on which that was agreed.
CREATE OR REPLACE FUNCTION keep_placement_dues() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  late interval := make_interval(mins => public.policy_number('arrival_alarm_minutes'));
BEGIN
  PERFORM public.keep_dues(
    NEW.id, NEW.referral_id,
    ARRAY['expected_arrival', 'no_show_unchecked', 'planned_return'],
    ARRAY[
      CASE WHEN NEW.status = 'underway' THEN coalesce(NEW.expected_at, NEW.created_at) + late END,
      CASE WHEN NEW.status = 'no_show'
                AND public.placement_coming(NEW.status, NEW.safety_checked_at)
           THEN NEW.no_show_at + late END,
      CASE WHEN NEW.status = 'arrived' THEN NEW.return_at END],
    ARRAY[NEW.provider_id, NEW.receiver_id]);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_placement_dues FROM PUBLIC;

-- Each provider in a proposed swap consents, or refuses, before it runs out.
CREATE OR REPLACE FUNCTION keep_leg_dues() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  until timestamptz;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  until := (SELECT w.expires_at FROM public.swaps AS w
            WHERE w.id = NEW.swap_id AND w.status = 'proposed' AND NEW.live);
  PERFORM public.keep_dues(
    NEW.swap_id, NEW.referral_id, ARRAY['swap_consent'], ARRAY[until],
    array_remove(ARRAY[
      CASE WHEN NEW.household_at IS NULL THEN NEW.provider_id END,
      CASE WHEN NEW.leaving_at IS NULL THEN NEW.leaving_id END,
      CASE WHEN NEW.receiving_at IS NULL THEN NEW.receiving_id END], NULL),
    told_at_once => true);
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_leg_dues FROM PUBLIC;

-- Who answers for a household in an alternative, and its own desk, make sure that it is well, and
-- know where it goes when its nights there are over.
CREATE OR REPLACE FUNCTION keep_alternative_dues() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.keep_dues(
    NEW.id, NEW.referral_id, ARRAY['alternative_check', 'alternative_nights'],
    ARRAY[
      CASE WHEN NEW.ended_at IS NULL THEN NEW.next_check_at END,
      CASE WHEN NEW.ended_at IS NULL THEN NEW.nights_over_at END],
    ARRAY[NEW.provider_id, NEW.responsible_id]);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_alternative_dues FROM PUBLIC;

-- While a household waits its desk sees to a safety plan, and speaks to it again when that was
-- agreed: what the newest contact says counts.
CREATE OR REPLACE FUNCTION keep_referral_dues(of_referral uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  waits public.referrals;
  next_contact timestamptz;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  -- Two contacts at once take turns, and the second sees the first.
  SELECT r.* INTO waits FROM public.referrals AS r WHERE r.id = of_referral FOR NO KEY UPDATE;
  next_contact := (SELECT c.due_at FROM public.contacts AS c WHERE c.referral_id = of_referral
                   ORDER BY c.at DESC, c.id DESC LIMIT 1);
  PERFORM public.keep_dues(
    of_referral, of_referral, ARRAY['safety_plan', 'contact'],
    ARRAY[
      CASE WHEN waits.status IN ('open', 'held') AND NOT waits.has_safety_plan
           THEN waits.created_at
                + make_interval(hours => public.policy_number('safety_plan_hours')) END,
      CASE WHEN waits.status IN ('open', 'held') THEN next_contact END],
    ARRAY[waits.provider_id]);
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION keep_referral_dues FROM PUBLIC;

CREATE OR REPLACE FUNCTION keep_dues_of_referral() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.keep_referral_dues(NEW.id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_dues_of_referral FROM PUBLIC;

CREATE OR REPLACE FUNCTION keep_dues_of_contact() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.keep_referral_dues(NEW.referral_id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_dues_of_contact FROM PUBLIC;

-- Counts are confirmed before they grow stale; those of a site that never were, at once.
CREATE OR REPLACE FUNCTION keep_site_dues() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.keep_dues(
    NEW.id, NULL, ARRAY['site_to_confirm'],
    ARRAY[CASE WHEN NEW.status = 'approved' THEN coalesce(
      NEW.confirmed_at + make_interval(hours => public.policy_number('fresh_hours')),
      NEW.approved_at, NEW.created_at) END],
    ARRAY[NEW.provider_id]);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_site_dues FROM PUBLIC;

-- What is proposed of a site is approved or rejected within the policy's hours, by those whose
-- approval it still needs.
CREATE OR REPLACE FUNCTION keep_approval_dues(of_proposal uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  proposal public.site_proposals;
  awaits text[];
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT p.* INTO proposal FROM public.site_proposals AS p WHERE p.id = of_proposal;
  awaits := CASE WHEN proposal.outcome IS NULL THEN public.proposal_awaits(of_proposal)
                 ELSE '{}' END;
  PERFORM public.keep_dues(
    proposal.site_id, NULL, ARRAY['site_to_approve'],
    ARRAY[proposal.proposed_at + make_interval(hours => public.policy_number('approval_hours'))],
    CASE WHEN 'coordinator' = ANY (awaits) THEN ARRAY[proposal.provider_id] ELSE '{}' END
      || CASE WHEN 'administrator' = ANY (awaits) THEN ARRAY[NULL::uuid] ELSE '{}' END,
    told_at_once => true, by_others_than => proposal.proposed_by);
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION keep_approval_dues FROM PUBLIC;

CREATE OR REPLACE FUNCTION keep_dues_of_proposal() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.keep_approval_dues(NEW.id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION keep_dues_of_proposal FROM PUBLIC;

-- Whose approval a proposal needs changes with the accounts of its provider as well: the worker
-- looks again when it rings.
CREATE OR REPLACE FUNCTION renew_approval_dues() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF public.acting() = 'worker' THEN
    -- One that is being decided or replaced is passed over: who does that keeps its dues.
    PERFORM public.keep_approval_dues(p.id)
    FROM (SELECT s.id FROM public.site_proposals AS s WHERE s.outcome IS NULL
          ORDER BY s.id FOR NO KEY UPDATE SKIP LOCKED) AS p;
  END IF;
END $$;
REVOKE ALL ON FUNCTION renew_approval_dues FROM PUBLIC;
GRANT EXECUTE ON FUNCTION renew_approval_dues TO plek_app;

-- How many dues of each organisation came to their moment in some span of days that are over, and
-- how many of them nobody saw: for administrators, and nothing by which one could follow a
-- household.
CREATE OR REPLACE FUNCTION count_unseen_dues(since timestamptz, until timestamptz)
RETURNS TABLE (provider_id uuid, came bigint, unseen bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF public.i_am('administrator') THEN
    RETURN QUERY
    SELECT d.provider_id, count(*),
           count(*) FILTER (WHERE NOT EXISTS (SELECT FROM public.due_sights AS s
                                              WHERE s.due_id = d.id))
    FROM public.dues AS d
    WHERE d.provider_id IS NOT NULL AND d.due_at >= since AND d.due_at < until
      AND coalesce(d.ended_at, 'infinity') >= d.due_at
    GROUP BY d.provider_id;
  END IF;
END $$;
REVOKE ALL ON FUNCTION count_unseen_dues FROM PUBLIC;
GRANT EXECUTE ON FUNCTION count_unseen_dues TO plek_app;

-- The triggers. What asks for nothing before and after is not looked at.
CREATE OR REPLACE TRIGGER open_dues AFTER INSERT ON holds
  FOR EACH ROW WHEN (NEW.status = 'pending') EXECUTE FUNCTION keep_hold_dues();
CREATE OR REPLACE TRIGGER keep_dues AFTER UPDATE OF status, expires_at ON holds
  FOR EACH ROW WHEN ('pending' IN (OLD.status, NEW.status)) EXECUTE FUNCTION keep_hold_dues();
CREATE OR REPLACE TRIGGER open_dues AFTER INSERT ON placements
  FOR EACH ROW WHEN (NEW.status IN ('underway', 'arrived', 'no_show'))
  EXECUTE FUNCTION keep_placement_dues();
CREATE OR REPLACE TRIGGER keep_dues
  AFTER UPDATE OF status, expected_at, no_show_at, safety_checked_at, return_at ON placements
  FOR EACH ROW EXECUTE FUNCTION keep_placement_dues();
CREATE OR REPLACE TRIGGER keep_dues
  AFTER INSERT OR UPDATE OF household_at, leaving_at, receiving_at, live ON swap_legs
  FOR EACH ROW EXECUTE FUNCTION keep_leg_dues();
CREATE OR REPLACE TRIGGER open_dues AFTER INSERT ON alternatives
  FOR EACH ROW WHEN (NEW.ended_at IS NULL) EXECUTE FUNCTION keep_alternative_dues();
CREATE OR REPLACE TRIGGER keep_dues
  AFTER UPDATE OF next_check_at, nights_over_at, ended_at ON alternatives
  FOR EACH ROW EXECUTE FUNCTION keep_alternative_dues();
CREATE OR REPLACE TRIGGER open_dues AFTER INSERT ON referrals
  FOR EACH ROW WHEN (NEW.status IN ('open', 'held') AND NOT NEW.has_safety_plan)
  EXECUTE FUNCTION keep_dues_of_referral();
CREATE OR REPLACE TRIGGER keep_dues AFTER UPDATE OF status, has_safety_plan ON referrals
  FOR EACH ROW
  WHEN (OLD.has_safety_plan <> NEW.has_safety_plan
        OR (OLD.status IN ('open', 'held')) <> (NEW.status IN ('open', 'held')))
  EXECUTE FUNCTION keep_dues_of_referral();
CREATE OR REPLACE TRIGGER keep_dues AFTER INSERT ON contacts
  FOR EACH ROW EXECUTE FUNCTION keep_dues_of_contact();
CREATE OR REPLACE TRIGGER open_dues AFTER INSERT ON sites
  FOR EACH ROW WHEN (NEW.status = 'approved') EXECUTE FUNCTION keep_site_dues();
CREATE OR REPLACE TRIGGER keep_dues AFTER UPDATE OF confirmed_at, status ON sites
  FOR EACH ROW EXECUTE FUNCTION keep_site_dues();
CREATE OR REPLACE TRIGGER keep_dues AFTER INSERT OR UPDATE ON site_proposals
  FOR EACH ROW EXECUTE FUNCTION keep_dues_of_proposal();

-- dues:
-- Written by the functions above alone; the worker notes that one rang, and forgets those that are
-- over. Seen by the people of the organisation whose work it is, unless the household is shielded
-- from them.
GRANT SELECT, UPDATE (rings_at, rung_at), DELETE ON dues TO plek_app;
ALTER TABLE dues ENABLE ROW LEVEL SECURITY;
ALTER TABLE dues FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON dues TO CURRENT_USER USING (true);
CREATE POLICY "select" ON dues FOR SELECT
  USING (
    acting() = 'worker'
    OR (CASE WHEN provider_id IS NULL THEN i_am('administrator')
             ELSE i_am_staff() AND provider_id = my_provider() END
        AND not_by IS DISTINCT FROM my_account()
        AND (referral_id IS NULL OR unshielded(referral_id)))
  );
CREATE POLICY "update" ON dues FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON dues FOR DELETE USING ((SELECT acting()) = 'worker');

-- due_sights:
-- Everybody for themselves, of dues that they see.
GRANT SELECT, INSERT, UPDATE (taken_until) ON due_sights TO plek_app;
ALTER TABLE due_sights ENABLE ROW LEVEL SECURITY;
ALTER TABLE due_sights FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON due_sights TO CURRENT_USER USING (true);
CREATE POLICY "select" ON due_sights FOR SELECT
  USING (EXISTS (SELECT FROM dues AS d WHERE d.id = due_id));
CREATE POLICY "insert" ON due_sights FOR INSERT
  WITH CHECK (account_id = my_account() AND EXISTS (SELECT FROM dues AS d WHERE d.id = due_id));
CREATE POLICY "update" ON due_sights FOR UPDATE
  USING (account_id = my_account() AND EXISTS (SELECT FROM dues AS d WHERE d.id = due_id));
