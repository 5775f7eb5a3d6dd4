-- The monitor: what is counted while a quarter lasts, and its releases.

-- monitor_days
GRANT SELECT, INSERT, DELETE ON monitor_days TO plek_app;
ALTER TABLE monitor_days ENABLE ROW LEVEL SECURITY;
ALTER TABLE monitor_days FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON monitor_days TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON monitor_days FOR SELECT USING ((SELECT acting()) = 'worker');
CREATE POLICY "insert" ON monitor_days FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON monitor_days FOR DELETE USING ((SELECT acting()) = 'worker');

-- household_counts
GRANT SELECT, INSERT, UPDATE, DELETE ON household_counts TO plek_app;
ALTER TABLE household_counts ENABLE ROW LEVEL SECURITY;
ALTER TABLE household_counts FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON household_counts TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON household_counts FOR SELECT
  USING (provider_id = (SELECT my_provider()) OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON household_counts FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON household_counts FOR UPDATE USING (provider_id = (SELECT my_provider()));
CREATE POLICY "delete" ON household_counts FOR DELETE USING ((SELECT acting()) = 'worker');

-- monitor_releases
GRANT SELECT, INSERT ON monitor_releases TO plek_app;
ALTER TABLE monitor_releases ENABLE ROW LEVEL SECURITY;
ALTER TABLE monitor_releases FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON monitor_releases TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON monitor_releases FOR SELECT
  USING (
    (SELECT i_oversee())
    OR (SELECT acting()) = 'worker'
    OR ((SELECT i_am('coordinator'))
        AND EXISTS (SELECT FROM provider_regions AS r
                    WHERE r.region = monitor_releases.region
                      AND r.provider_id = (SELECT my_provider())))
  );
CREATE POLICY "insert" ON monitor_releases FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');

-- monitor_staleness
GRANT SELECT, INSERT ON monitor_staleness TO plek_app;
ALTER TABLE monitor_staleness ENABLE ROW LEVEL SECURITY;
ALTER TABLE monitor_staleness FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON monitor_staleness TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON monitor_staleness FOR SELECT
  USING (
    (SELECT i_am('administrator'))
    OR (SELECT acting()) = 'worker'
    OR ((SELECT i_am('auditor')) AND region = (SELECT my_region()))
    OR ((SELECT i_am('coordinator')) AND provider_id = (SELECT my_provider()))
  );
CREATE POLICY "insert" ON monitor_staleness FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
