-- What every capability stands on: outbox, heads, timers, keys and webhooks.

-- outbox
GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO plek_app;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON outbox TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON outbox FOR SELECT
  USING (
    (SELECT acting()) = 'relay'
    OR (SELECT acting()) = 'worker'
    OR ((SELECT my_provider()) IS NOT NULL
        AND (audience IS NULL OR (SELECT my_provider()) = ANY (audience)))
  );
CREATE POLICY "insert" ON outbox FOR INSERT
  WITH CHECK (my_provider() IS NOT NULL OR acting() = 'worker' OR i_am('administrator'));
CREATE POLICY "update" ON outbox FOR UPDATE USING ((SELECT acting()) = 'relay');
CREATE POLICY "delete" ON outbox FOR DELETE USING ((SELECT acting()) = 'worker');

-- heads
GRANT SELECT, INSERT, UPDATE, DELETE ON heads TO plek_app;

-- Write to every administrator that records disagree, as the worker has just found.
CREATE OR REPLACE FUNCTION mail_discrepancies() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF public.acting() <> 'worker' THEN
    RAISE insufficient_privilege;
  END IF;
  PERFORM public.mail_administrators('records_disagree');
END $$;
REVOKE ALL ON FUNCTION mail_discrepancies FROM PUBLIC;
GRANT EXECUTE ON FUNCTION mail_discrepancies TO plek_app;

-- discrepancies:
-- Written by the worker, who compares the records; for administrators.
GRANT SELECT, INSERT, UPDATE ON discrepancies TO plek_app;
ALTER TABLE discrepancies ENABLE ROW LEVEL SECURITY;
ALTER TABLE discrepancies FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON discrepancies TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON discrepancies FOR SELECT
  USING ((SELECT acting()) = 'worker' OR (SELECT i_am('administrator')));
CREATE POLICY "insert" ON discrepancies FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
CREATE POLICY "update" ON discrepancies FOR UPDATE USING ((SELECT acting()) = 'worker');

-- timers
GRANT SELECT, INSERT, UPDATE, DELETE ON timers TO plek_app;

-- installation_keys
-- Without one of these nothing that it sealed is ever read again. None goes and none gets another
-- name, whoever asks, the owner by mistake included; only the owner wraps them anew.
GRANT SELECT, INSERT ON installation_keys TO plek_app;
REVOKE UPDATE, DELETE ON installation_keys FROM plek_app;
CREATE OR REPLACE TRIGGER never_goes BEFORE UPDATE OF name OR DELETE OR TRUNCATE
  ON installation_keys FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- webhooks
GRANT SELECT, INSERT, UPDATE, DELETE ON webhooks TO plek_app;
ALTER TABLE webhooks ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhooks FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON webhooks TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON webhooks FOR SELECT
  USING (
    (provider_id = (SELECT my_provider()) AND (SELECT i_connect_systems()))
    OR (SELECT acting()) = 'worker'
    OR (SELECT acting()) = 'relay'
  );
CREATE POLICY "insert" ON webhooks FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()) AND (SELECT i_connect_systems()));
CREATE POLICY "update" ON webhooks FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON webhooks FOR DELETE
  USING (provider_id = (SELECT my_provider()) AND (SELECT i_connect_systems()));

-- webhook_deliveries
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_deliveries TO plek_app;
ALTER TABLE webhook_deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_deliveries FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON webhook_deliveries TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON webhook_deliveries FOR SELECT
  USING (
    (SELECT acting()) = 'worker'
    OR ((SELECT i_connect_systems())
        AND EXISTS (SELECT FROM webhooks AS w WHERE w.id = webhook_id))
  );
CREATE POLICY "insert" ON webhook_deliveries FOR INSERT WITH CHECK ((SELECT acting()) = 'relay');
CREATE POLICY "update" ON webhook_deliveries FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON webhook_deliveries FOR DELETE USING ((SELECT acting()) = 'worker');
