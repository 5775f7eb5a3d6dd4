-- Holds and claims, and the answers that are kept for repeated requests.

-- A hold on a place that is taken over may have run out without being noted, at a provider whose
-- rows the caller may not see. Everyone may note it: this does what the sweeper would do, and
-- tells no more than the status.
CREATE OR REPLACE FUNCTION note_lapsed(of_referral uuid, of_place uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  WITH lapsed AS (
    UPDATE public.holds
    SET status = CASE status WHEN 'pending' THEN 'no_answer' ELSE 'expired' END,
        resolved_at = clock_timestamp()
    WHERE resolved_at IS NULL AND expires_at <= clock_timestamp()
      AND (referral_id = of_referral OR place_id = of_place)
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

-- holds:
-- Seen and changed by the provider that asks and the one that is asked.
GRANT SELECT, INSERT, UPDATE, DELETE ON holds TO plek_app;
ALTER TABLE holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE holds FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON holds TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON holds FOR SELECT
  USING (
    acting() = 'worker'
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, receiver_id)
    OR (i_am('auditor') AND EXISTS (SELECT FROM placements AS p WHERE p.hold_id = holds.id))
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
CREATE OR REPLACE TRIGGER note_new AFTER INSERT ON claims
  FOR EACH ROW WHEN (NEW.kind IS NULL) EXECUTE FUNCTION note_vacancy();
CREATE OR REPLACE TRIGGER note_freed
  AFTER UPDATE OF kind, group_id ON claims
  FOR EACH ROW WHEN (NEW.kind IS NULL AND (OLD.kind IS NOT NULL OR OLD.group_id <> NEW.group_id))
  EXECUTE FUNCTION note_vacancy();
ALTER TABLE claims ENABLE ROW LEVEL SECURITY;
ALTER TABLE claims FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON claims TO CURRENT_USER USING ((SELECT acting()) = 'operator');
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
CREATE POLICY operator ON answers TO CURRENT_USER USING ((SELECT acting()) = 'operator');
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
