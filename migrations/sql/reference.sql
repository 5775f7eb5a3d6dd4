-- The country: regions, municipalities, distances, weights and policies.

-- regions
GRANT SELECT ON regions TO plek_app;

-- municipalities
GRANT SELECT ON municipalities TO plek_app;

-- clearances
GRANT SELECT ON clearances TO plek_app;

-- weights
GRANT SELECT ON weights TO plek_app;

-- policies:
-- Only an administrator publishes a policy.
GRANT SELECT, INSERT ON policies TO plek_app;
ALTER TABLE policies ENABLE ROW LEVEL SECURITY;
ALTER TABLE policies FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON policies TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON policies FOR SELECT USING (true);
CREATE POLICY "insert" ON policies FOR INSERT WITH CHECK ((SELECT i_am('administrator')));
