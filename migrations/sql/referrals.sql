-- Referrals and their content, the colleagues named for one, contacts and erasures.

-- Whether the caller may name colleagues for a referral of the own desk: anyone who sees it while
-- none is named, afterwards one of those named; if none of them works there any more, the account
-- that broke the glass.
CREATE OR REPLACE FUNCTION names_colleagues(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.referrals AS r
                 WHERE r.id = of_referral AND r.provider_id = public.my_provider())
    AND (EXISTS (SELECT FROM public.shields AS s
                 WHERE s.referral_id = of_referral
                   AND s.until IS NULL
                   AND s.account_id = public.my_account())
         OR NOT EXISTS (SELECT FROM public.shields AS s
                        WHERE s.referral_id = of_referral
                          AND s.until IS NULL
                          AND s.account_id IN (SELECT c.account_id FROM public.colleagues() AS c)));
END $$;
REVOKE ALL ON FUNCTION names_colleagues FROM PUBLIC;
GRANT EXECUTE ON FUNCTION names_colleagues TO plek_app;

-- referrals:
-- Seen by the own desk unless it is shielded, by the provider to which the household comes, and,
-- without content, by auditors of the regions concerned.
GRANT SELECT, INSERT, UPDATE, DELETE ON referrals TO plek_app;
CREATE OR REPLACE TRIGGER end_alternative
  AFTER UPDATE OF status ON referrals
  FOR EACH ROW WHEN (NEW.status = 'withdrawn' AND OLD.status <> 'withdrawn')
  EXECUTE FUNCTION end_alternative('withdrawn');
CREATE OR REPLACE TRIGGER resume_alternative
  AFTER UPDATE OF status ON referrals
  FOR EACH ROW WHEN (NEW.status = 'open' AND OLD.status = 'withdrawn')
  EXECUTE FUNCTION resume_alternative();
CREATE OR REPLACE TRIGGER spend_referral AFTER INSERT ON referrals
  FOR EACH ROW EXECUTE FUNCTION spend_referral();
ALTER TABLE referrals ENABLE ROW LEVEL SECURITY;
ALTER TABLE referrals FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON referrals TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON referrals FOR SELECT
  USING (
    acting() = 'worker'
    OR our_case(provider_id, id)
    OR (i_am('auditor') AND of_my_region(id, origin))
    OR (my_provider() IS NOT NULL AND (coming_here(id) OR swapping_here(id)))
  );
CREATE POLICY "insert" ON referrals FOR INSERT WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON referrals FOR UPDATE
  USING (
    acting() = 'worker'
    OR our_case(provider_id, id)
    OR (my_provider() IS NOT NULL AND coming_here(id))
  );
CREATE POLICY exchange_select ON referrals FOR SELECT USING ((SELECT acting()) = 'exchange');
CREATE POLICY exchange_update ON referrals FOR UPDATE USING ((SELECT acting()) = 'exchange');

-- referral_secrets
GRANT SELECT, INSERT, UPDATE, DELETE ON referral_secrets TO plek_app;
ALTER TABLE referral_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE referral_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON referral_secrets TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON referral_secrets FOR SELECT
  USING (
    (i_am_staff()
     AND (our_case(provider_id, referral_id)
          OR (my_provider() IS NOT NULL
              AND (coming_here(referral_id) OR swapping_here(referral_id)))))
    OR (i_am('auditor')
        AND EXISTS (SELECT FROM referrals AS r WHERE r.id = referral_secrets.referral_id))
    OR (acting() = 'worker'
        AND EXISTS (SELECT FROM referrals AS r
                    WHERE r.id = referral_secrets.referral_id AND referral_over(r.status)))
  );
CREATE POLICY "insert" ON referral_secrets FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON referral_secrets FOR UPDATE
  USING (our_case(provider_id, referral_id));
CREATE POLICY "delete" ON referral_secrets FOR DELETE
  USING (
    (SELECT acting()) = 'worker'
    AND EXISTS (SELECT FROM referrals AS r
                WHERE r.id = referral_secrets.referral_id AND referral_over(r.status))
  );
CREATE POLICY exchange_select ON referral_secrets FOR SELECT
  USING (
    (SELECT acting()) = 'exchange'
    AND (EXISTS (SELECT FROM move_agreements AS a
                 WHERE a.referral_id = referral_secrets.referral_id AND a.lapses_at > now())
         OR in_live_swap(referral_id))
  );
CREATE POLICY worker_waiting ON referral_secrets FOR SELECT
  USING (
    (SELECT acting()) = 'worker'
    AND EXISTS (SELECT FROM referrals AS r WHERE r.id = referral_id AND r.status = 'open')
  );

-- shields:
-- A row without an end names a colleague; one with an end is the caller's own, who broke the glass.
GRANT SELECT, INSERT, UPDATE, DELETE ON shields TO plek_app;
ALTER TABLE shields ENABLE ROW LEVEL SECURITY;
ALTER TABLE shields FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON shields TO CURRENT_USER USING (acting() = 'operator');
CREATE POLICY "select" ON shields FOR SELECT
  USING (provider_id = my_provider() OR acting() = 'worker');
CREATE POLICY "insert" ON shields FOR INSERT
  WITH CHECK (
    provider_id = my_provider()
    AND ((until IS NULL AND names_colleagues(referral_id))
         OR (until IS NOT NULL
             AND account_id = my_account()
             AND EXISTS (SELECT FROM shields AS s
                         WHERE s.referral_id = shields.referral_id
                           AND s.until IS NULL
                           AND s.provider_id = my_provider())))
  );
CREATE POLICY "update" ON shields FOR UPDATE
  USING (
    provider_id = my_provider()
    AND (names_colleagues(referral_id) OR (until IS NOT NULL AND account_id = my_account()))
  )
  WITH CHECK (
    provider_id = my_provider()
    AND ((until IS NULL AND names_colleagues(referral_id))
         OR (until IS NOT NULL AND account_id = my_account()))
  );
CREATE POLICY "delete" ON shields FOR DELETE
  USING ((provider_id = my_provider() AND names_colleagues(referral_id)) OR acting() = 'worker');

-- contacts
GRANT SELECT, INSERT ON contacts TO plek_app;
ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON contacts TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON contacts FOR SELECT
  USING (acting() = 'worker' OR (i_am_staff() AND our_case(provider_id, referral_id)));
CREATE POLICY "insert" ON contacts FOR INSERT
  WITH CHECK (i_am_staff() AND our_case(provider_id, referral_id));

-- erasures
GRANT SELECT, INSERT ON erasures TO plek_app;
ALTER TABLE erasures ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasures FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON erasures TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON erasures FOR SELECT USING ((SELECT acting()) = 'worker');
CREATE POLICY "insert" ON erasures FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
