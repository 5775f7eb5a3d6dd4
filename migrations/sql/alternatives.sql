-- Alternatives while nothing fits: hotel, holiday park, help at home, and how many a provider can help.

-- How many households a provider helps where they are, shielded ones too: only the number comes out.
CREATE OR REPLACE FUNCTION trajectories_in_use(of_provider uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting(); taken integer;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT count(*) INTO taken FROM alternatives AS a
  WHERE a.responsible_id = of_provider AND a.kind = 'ambulatory' AND a.ended_at IS NULL;
  PERFORM set_config('plek.actor', before, true);
  RETURN taken;
END $$;
REVOKE ALL ON FUNCTION trajectories_in_use FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trajectories_in_use TO plek_app;

-- The row of the capacity is the queue: it is locked first, and only then are those counted who came before.
-- Without room the row is not inserted.
CREATE OR REPLACE FUNCTION take_trajectory() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting(); most integer;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT c.capacity INTO most FROM ambulatory_capacities AS c WHERE c.provider_id = NEW.responsible_id FOR UPDATE;
  PERFORM set_config('plek.actor', before, true);
  IF trajectories_in_use(NEW.responsible_id) >= coalesce(most, 0) THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION take_trajectory FROM PUBLIC;

-- An arrival or a withdrawal ends the alternative, also one that the caller may not see.
CREATE OR REPLACE FUNCTION end_alternative() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE before text := acting(); of_referral uuid;
BEGIN
  IF TG_TABLE_NAME = 'placements' THEN
    of_referral := NEW.referral_id;
  ELSE
    of_referral := NEW.id;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  WITH ended AS (
    UPDATE alternatives AS a SET ended_at = clock_timestamp(), end_reason = TG_ARGV[0]
    WHERE a.referral_id = of_referral AND a.ended_at IS NULL
    RETURNING a.id, a.provider_id, a.responsible_id
  )
  INSERT INTO outbox (kind, subject, audience)
  SELECT 'waiting', id::text, ARRAY[provider_id, responsible_id] FROM ended;
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION end_alternative FROM PUBLIC;

-- alternatives
GRANT SELECT, INSERT, UPDATE ON alternatives TO plek_app;
CREATE OR REPLACE TRIGGER take_trajectory BEFORE INSERT ON alternatives
  FOR EACH ROW WHEN (NEW.kind = 'ambulatory') EXECUTE FUNCTION take_trajectory();
ALTER TABLE alternatives ENABLE ROW LEVEL SECURITY;
ALTER TABLE alternatives FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON alternatives TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON alternatives FOR SELECT
  USING (
    acting() = 'worker'
    OR ((i_am('intake_worker') OR i_am('coordinator'))
        AND (my_provider() IS NOT NULL
             AND alternatives.provider_id = my_provider()
             AND unshielded(alternatives.referral_id)))
    OR ((i_am('intake_worker') OR i_am('coordinator'))
        AND responsible_id = my_provider()
        AND provider_id <> my_provider())
  );
CREATE POLICY "insert" ON alternatives FOR INSERT
  WITH CHECK (
    ((i_am('intake_worker') OR i_am('coordinator'))
     AND (my_provider() IS NOT NULL
          AND alternatives.provider_id = my_provider()
          AND unshielded(alternatives.referral_id)))
  );
CREATE POLICY "update" ON alternatives FOR UPDATE
  USING (
    ((i_am('intake_worker') OR i_am('coordinator'))
     AND (my_provider() IS NOT NULL
          AND alternatives.provider_id = my_provider()
          AND unshielded(alternatives.referral_id)))
    OR ((i_am('intake_worker') OR i_am('coordinator'))
        AND responsible_id = my_provider()
        AND provider_id <> my_provider())
  );

-- ambulatory_capacities
GRANT SELECT, INSERT, UPDATE ON ambulatory_capacities TO plek_app;
ALTER TABLE ambulatory_capacities ENABLE ROW LEVEL SECURITY;
ALTER TABLE ambulatory_capacities FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON ambulatory_capacities TO CURRENT_USER
  USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON ambulatory_capacities FOR SELECT
  USING (provider_id = (SELECT my_provider()));
CREATE POLICY "insert" ON ambulatory_capacities FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON ambulatory_capacities FOR UPDATE
  USING (provider_id = (SELECT my_provider()));
