-- Alternatives while nothing fits: hotel, holiday park, help at home, and who can give it.

-- How many households a provider helps where they are, shielded ones too: the number alone.
CREATE OR REPLACE FUNCTION trajectories_in_use(of_provider uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting(); taken integer;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT count(*) INTO taken FROM public.alternatives AS a
  WHERE a.responsible_id = of_provider AND a.kind = 'ambulatory' AND a.ended_at IS NULL;
  PERFORM set_config('plek.actor', before, true);
  RETURN taken;
END $$;
REVOKE ALL ON FUNCTION trajectories_in_use FROM PUBLIC;
GRANT EXECUTE ON FUNCTION trajectories_in_use TO plek_app;

-- The row of the capacity is the queue: it is locked before those who came first are counted.
-- Without room the row is not inserted.
CREATE OR REPLACE FUNCTION take_trajectory() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting(); most integer;
BEGIN
  PERFORM set_config('plek.actor', 'operator', true);
  SELECT c.capacity INTO most FROM public.ambulatory_capacities AS c
  WHERE c.provider_id = NEW.responsible_id FOR UPDATE;
  PERFORM set_config('plek.actor', before, true);
  IF public.trajectories_in_use(NEW.responsible_id) >= coalesce(most, 0) THEN
    RETURN NULL;
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION take_trajectory FROM PUBLIC;

-- An arrival or a withdrawal ends the alternative, also one that the caller may not see.
CREATE OR REPLACE FUNCTION end_alternative() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting(); of_referral uuid;
BEGIN
  IF TG_TABLE_NAME = 'placements' THEN
    of_referral := NEW.referral_id;
  ELSE
    of_referral := NEW.id;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  WITH ended AS (
    UPDATE public.alternatives AS a SET ended_at = clock_timestamp(), end_reason = TG_ARGV[0]
    WHERE a.referral_id = of_referral AND a.ended_at IS NULL
    RETURNING a.id, a.provider_id, a.responsible_id
  )
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT 'waiting', id::text, ARRAY[provider_id, responsible_id] FROM ended;
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION end_alternative FROM PUBLIC;

-- A household that did not arrive after all has its alternative again, if that ended since it was
-- to go there. A referral that is opened again has its alternative again, if that ended by the
-- closing and not longer ago than the time after which somebody had to look after them anyway. A
-- trajectory at home may be another's by now.
CREATE OR REPLACE FUNCTION resume_alternative() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  of_referral uuid;
  because text;
  since timestamptz;
BEGIN
  IF TG_TABLE_NAME = 'placements' THEN
    of_referral := NEW.referral_id;
    because := 'placed';
    since := OLD.created_at;
  ELSE
    of_referral := NEW.id;
    because := 'withdrawn';
    since := greatest(
      OLD.closed_at,
      clock_timestamp()
      - make_interval(hours => public.policy_number('alternative_check_hours')));
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  WITH resumed AS (
    UPDATE public.alternatives AS a SET ended_at = NULL, end_reason = NULL
    WHERE a.referral_id = of_referral AND a.end_reason = because AND a.kind <> 'ambulatory'
      AND a.ended_at >= since
    RETURNING a.id, a.provider_id, a.responsible_id
  )
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT 'waiting', id::text, ARRAY[provider_id, responsible_id] FROM resumed;
  PERFORM set_config('plek.actor', before, true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION resume_alternative FROM PUBLIC;

-- alternatives
GRANT SELECT, INSERT, UPDATE ON alternatives TO plek_app;
CREATE OR REPLACE TRIGGER take_trajectory BEFORE INSERT ON alternatives
  FOR EACH ROW WHEN (NEW.kind = 'ambulatory') EXECUTE FUNCTION take_trajectory();
ALTER TABLE alternatives ENABLE ROW LEVEL SECURITY;
ALTER TABLE alternatives FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON alternatives TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON alternatives FOR SELECT
  USING (
    acting() = 'worker'
    OR (i_am_staff()
        AND (our_case(provider_id, referral_id) OR entrusted_to_us(provider_id, responsible_id)))
  );
CREATE POLICY "insert" ON alternatives FOR INSERT
  WITH CHECK (i_am_staff() AND our_case(provider_id, referral_id));
CREATE POLICY "update" ON alternatives FOR UPDATE
  USING (
    i_am_staff()
    AND (our_case(provider_id, referral_id) OR entrusted_to_us(provider_id, responsible_id))
  );

-- ambulatory_capacities
GRANT SELECT, INSERT, UPDATE ON ambulatory_capacities TO plek_app;
ALTER TABLE ambulatory_capacities ENABLE ROW LEVEL SECURITY;
ALTER TABLE ambulatory_capacities FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON ambulatory_capacities TO CURRENT_USER
  USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON ambulatory_capacities FOR SELECT
  USING (provider_id = (SELECT my_provider()));
CREATE POLICY "insert" ON ambulatory_capacities FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON ambulatory_capacities FOR UPDATE
  USING (provider_id = (SELECT my_provider()));
