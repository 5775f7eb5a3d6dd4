-- The ledger: leaves, their openings, the tree's hashes and signed checkpoints.

-- No leaf has an index other than the one that the head just gave out, so there is no gap.
CREATE OR REPLACE FUNCTION next_leaf() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.index IS DISTINCT FROM
     (SELECT h.value - 1 FROM public.heads AS h WHERE h.name = 'ledger') THEN
    RAISE EXCEPTION 'a leaf has the index that the head gave out'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;

-- Whether the caller's provider writes the leaves of a household's time that began with a placement:
-- the caller sees a placement of that time there, whichever it is, or one under way that goes on
-- from it. The first may be one that is hidden from who ends the time with the last.
CREATE OR REPLACE FUNCTION writes_leaves_of(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN public.received_here(of_placement)
    OR EXISTS (SELECT FROM public.placements AS p
               WHERE p.began_id = of_placement
                 AND p.receiver_id = public.my_provider()
                 AND p.status IN ('underway', 'arrived', 'ended'));
END $$;
REVOKE ALL ON FUNCTION writes_leaves_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION writes_leaves_of TO plek_app;

-- The households that some leaves are about, for the list of accesses of each: who is told nothing
-- of a placement may have read its opening.
CREATE OR REPLACE FUNCTION households_of_leaves(indexes bigint[]) RETURNS SETOF uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
BEGIN
  IF before <> 'operator' AND NOT public.i_am('auditor') THEN
    RAISE EXCEPTION 'only those who read openings ask' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  SELECT DISTINCT p.referral_id
  FROM public.leaves AS l JOIN public.placements AS p ON p.id = l.placement_id
  WHERE l.index = ANY (indexes);
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION households_of_leaves FROM PUBLIC;
GRANT EXECUTE ON FUNCTION households_of_leaves TO plek_app;

-- leaves
GRANT SELECT, INSERT ON leaves TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON leaves
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE OR REPLACE TRIGGER without_gaps BEFORE INSERT ON leaves
  FOR EACH ROW EXECUTE FUNCTION next_leaf();
ALTER TABLE leaves ENABLE ROW LEVEL SECURITY;
ALTER TABLE leaves FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON leaves TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON leaves FOR SELECT
  USING (
    (SELECT acting()) = 'worker'
    OR (SELECT i_oversee())
    OR writes_leaves_of(placement_id)
  );
CREATE POLICY "insert" ON leaves FOR INSERT
  WITH CHECK (
    writes_leaves_of(placement_id)
    OR (placement_id IS NULL
        AND (((SELECT acting()) = 'worker' AND type = 'quarter_total')
             OR ((SELECT i_am('administrator')) AND type = 'policy')
             OR ((SELECT i_am('auditor')) AND type IN ('cap', 'correction'))))
  );

-- openings
GRANT SELECT, INSERT ON openings TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON openings
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE openings ENABLE ROW LEVEL SECURITY;
ALTER TABLE openings FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON openings TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON openings FOR SELECT
  USING (
    (SELECT acting()) = 'worker'
    OR ((SELECT i_am('auditor'))
        AND (SELECT my_region()) IN (origin_region, receiving_region)
        AND (opens_at <= clock_timestamp()
             OR EXISTS (SELECT FROM leaves AS l
                        JOIN leaves AS e ON e.placement_id = l.placement_id AND e.type = 'departure'
                        WHERE l.index = openings.index)))
    OR EXISTS (SELECT FROM leaves AS l
               WHERE l.index = openings.index AND writes_leaves_of(l.placement_id))
  );
CREATE POLICY "insert" ON openings FOR INSERT
  WITH CHECK (
    EXISTS (SELECT FROM leaves AS l
            WHERE l.index = openings.index AND writes_leaves_of(l.placement_id))
  );

-- subtrees
GRANT SELECT, INSERT ON subtrees TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON subtrees
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE subtrees ENABLE ROW LEVEL SECURITY;
ALTER TABLE subtrees FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON subtrees TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON subtrees FOR SELECT
  USING (
    (SELECT acting()) = 'worker'
    OR ((index + 1) << level::integer) <= (SELECT max(size) FROM checkpoints)
  );
CREATE POLICY "insert" ON subtrees FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');

-- checkpoints
GRANT SELECT, INSERT ON checkpoints TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE checkpoints ENABLE ROW LEVEL SECURITY;
ALTER TABLE checkpoints FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON checkpoints TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON checkpoints FOR SELECT
  USING (
    (SELECT acting()) = 'worker'
    OR (SELECT i_oversee())
    OR public_from <= clock_timestamp()
  );
CREATE POLICY "insert" ON checkpoints FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');

-- running_stays:
-- For the worker alone: seeing that a stay goes on would let others watch it end.
GRANT SELECT, INSERT ON running_stays TO plek_app;
ALTER TABLE running_stays ENABLE ROW LEVEL SECURITY;
ALTER TABLE running_stays FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON running_stays TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON running_stays FOR SELECT USING ((SELECT acting()) = 'worker');
CREATE POLICY "insert" ON running_stays FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
