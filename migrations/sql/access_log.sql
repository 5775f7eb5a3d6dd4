-- The access log, which only grows, and its index by referral.

-- The index has a table of its own. Row-level security is applied before any condition whose
-- operators are not known to be leakproof; those of arrays are not, so no index on the entries'
-- own `referral_ids` would be used.
CREATE OR REPLACE FUNCTION note_referrals() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO public.access_log_referrals (referral_id, entry_id)
  SELECT DISTINCT unnest(NEW.referral_ids), NEW.id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_referrals FROM PUBLIC;

-- access_log:
-- Read by the thousand, so its rule asks in sub-selects, which PostgreSQL works out once for all
-- rows, and not by a function for each.
GRANT SELECT, INSERT ON access_log TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER note_referrals AFTER INSERT ON access_log
  FOR EACH ROW WHEN (NEW.referral_ids <> '{}') EXECUTE FUNCTION note_referrals();
ALTER TABLE access_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_log FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON access_log TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON access_log FOR SELECT
  USING (
    account_id = (SELECT my_account())
    OR (SELECT i_am('administrator'))
    OR (told_id = (SELECT my_provider()) AND (SELECT i_am('coordinator')))
    OR (action IN ('break_glass', 'take_over', 'raise')
        AND (SELECT i_am('coordinator'))
        AND provider_id = (SELECT my_provider()))
    OR ((SELECT i_am_staff())
        AND ((object_type = 'site'
              AND EXISTS (SELECT FROM sites AS s
                          WHERE s.id = object_id AND s.provider_id = (SELECT my_provider())))
             OR EXISTS (SELECT FROM referrals AS r
                        WHERE r.id = ANY (access_log.referral_ids)
                          AND r.provider_id = (SELECT my_provider()))))
  );
CREATE POLICY "insert" ON access_log FOR INSERT
  WITH CHECK (account_id IS NOT DISTINCT FROM my_account() OR acting() = 'signing');

-- access_log_referrals
GRANT SELECT ON access_log_referrals TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON access_log_referrals
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE access_log_referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE access_log_referrals FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON access_log_referrals TO CURRENT_USER
  USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON access_log_referrals FOR SELECT
  USING (
    (SELECT i_am_staff())
    AND EXISTS (SELECT FROM referrals AS r
                WHERE r.id = referral_id AND r.provider_id = (SELECT my_provider()))
  );
CREATE POLICY "insert" ON access_log_referrals FOR INSERT TO CURRENT_USER WITH CHECK (true);
