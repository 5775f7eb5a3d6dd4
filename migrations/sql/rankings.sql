-- Recorded rankings, the registers that they cite, and plans for a peak.

-- Let the rankings that saw a referral of the caller's desk as it was before its newest change go
-- on: an answer that was given with a hold outdates nothing.
CREATE OR REPLACE FUNCTION keep_rankings(of_referral uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  desk uuid := public.my_provider();
BEGIN
  IF desk IS NULL OR NOT public.i_find_places() OR NOT public.unshielded(of_referral) THEN
    RAISE insufficient_privilege;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  UPDATE public.rankings AS r SET referral_version = f.version
  FROM public.referrals AS f
  WHERE f.id = of_referral AND f.provider_id = desk
    AND r.referral_id = f.id AND r.referral_version = f.version - 1;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION keep_rankings FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_rankings TO plek_app;

-- registers
GRANT SELECT, INSERT ON registers TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON registers
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE registers ENABLE ROW LEVEL SECURITY;
ALTER TABLE registers FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON registers TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON registers FOR SELECT
  USING ((SELECT my_provider()) IS NOT NULL OR (SELECT i_am('auditor')));
CREATE POLICY "insert" ON registers FOR INSERT WITH CHECK ((SELECT my_provider()) IS NOT NULL);
CREATE POLICY worker_waiting ON registers FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');

-- rankings
GRANT SELECT, INSERT, UPDATE, DELETE ON rankings TO plek_app;
ALTER TABLE rankings ENABLE ROW LEVEL SECURITY;
ALTER TABLE rankings FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON rankings TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON rankings FOR SELECT
  USING (
    our_case(provider_id, referral_id)
    OR (my_provider() IS NOT NULL AND came_here_by(id, referral_id))
    OR (i_am('auditor') AND sees_referral(referral_id))
  );
CREATE POLICY "insert" ON rankings FOR INSERT WITH CHECK (provider_id = my_provider());
CREATE POLICY exchange_insert ON rankings FOR INSERT
  WITH CHECK ((SELECT acting()) = 'exchange' AND in_live_swap(referral_id));
CREATE POLICY worker_waiting ON rankings FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
CREATE POLICY worker_select ON rankings FOR SELECT USING ((SELECT acting()) = 'worker');

-- peak_plans
GRANT SELECT, INSERT, UPDATE, DELETE ON peak_plans TO plek_app;
ALTER TABLE peak_plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE peak_plans FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON peak_plans TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON peak_plans FOR SELECT
  USING ((SELECT i_am('administrator')) OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON peak_plans FOR INSERT
  WITH CHECK ((SELECT i_am('administrator')) AND account_id = (SELECT my_account()));
CREATE POLICY "update" ON peak_plans FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON peak_plans FOR DELETE USING ((SELECT acting()) = 'worker');
