-- Agreements to move, swap searches, swaps and their legs.

-- A swap needs more than one provider may know: it is done as the actor `exchange`, for that
-- stretch of a transaction alone (docs/adr/0011-swaps.md).

-- move_agreements
GRANT SELECT, INSERT, UPDATE, DELETE ON move_agreements TO plek_app;
ALTER TABLE move_agreements ENABLE ROW LEVEL SECURITY;
ALTER TABLE move_agreements FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON move_agreements TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON move_agreements FOR SELECT
  USING (
    acting() IN ('worker', 'exchange')
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, receiver_id)
  );
CREATE POLICY "insert" ON move_agreements FOR INSERT
  WITH CHECK (
    EXISTS (SELECT FROM placements AS p
            WHERE p.id = placement_id
              AND p.status = 'arrived'
              AND p.receiver_id = (SELECT my_provider()))
  );
CREATE POLICY "update" ON move_agreements FOR UPDATE USING (receiver_id = (SELECT my_provider()));
CREATE POLICY "delete" ON move_agreements FOR DELETE
  USING (
    receiver_id = (SELECT my_provider())
    OR (SELECT acting()) = 'exchange'
    OR (SELECT acting()) = 'worker'
  );

-- swap_searches
GRANT SELECT, INSERT, UPDATE, DELETE ON swap_searches TO plek_app;
ALTER TABLE swap_searches ENABLE ROW LEVEL SECURITY;
ALTER TABLE swap_searches FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON swap_searches TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON swap_searches FOR SELECT
  USING (our_case(provider_id, referral_id));
CREATE POLICY "insert" ON swap_searches FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()));

-- swaps
GRANT SELECT, INSERT, UPDATE, DELETE ON swaps TO plek_app;
ALTER TABLE swaps ENABLE ROW LEVEL SECURITY;
ALTER TABLE swaps FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON swaps TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON swaps FOR SELECT
  USING (
    EXISTS (SELECT FROM swap_legs AS l WHERE l.swap_id = swaps.id)
    OR (SELECT acting()) = 'exchange'
    OR (SELECT acting()) = 'worker'
  );
CREATE POLICY "insert" ON swaps FOR INSERT WITH CHECK ((SELECT acting()) = 'exchange');
CREATE POLICY "update" ON swaps FOR UPDATE
  USING ((SELECT acting()) = 'exchange' OR (SELECT acting()) = 'worker');

-- swap_legs
GRANT SELECT, INSERT, UPDATE, DELETE ON swap_legs TO plek_app;
ALTER TABLE swap_legs ENABLE ROW LEVEL SECURITY;
ALTER TABLE swap_legs FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON swap_legs TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON swap_legs FOR SELECT
  USING (
    acting() IN ('worker', 'exchange')
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, leaving_id)
    OR entrusted_to_us(provider_id, receiving_id)
  );
CREATE POLICY "insert" ON swap_legs FOR INSERT WITH CHECK ((SELECT acting()) = 'exchange');
CREATE POLICY "update" ON swap_legs FOR UPDATE
  USING (
    acting() IN ('worker', 'exchange')
    OR our_case(provider_id, referral_id)
    OR entrusted_to_us(provider_id, leaving_id)
    OR entrusted_to_us(provider_id, receiving_id)
  );
