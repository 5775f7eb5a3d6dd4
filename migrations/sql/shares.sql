-- Fair shares: how regions stand, sealed quarterly totals, nights by pair of regions, and caps.

-- Regions whose cap is reached, counting every household there; only the region's code comes out.
-- Two placements of one stay, from the one to the other, are one household; a hold for the next
-- place of a stay is not one more. A part of the functions below, with whose rights it runs.
CREATE OR REPLACE FUNCTION reached_caps(besides uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  moment timestamptz := clock_timestamp();
BEGIN
  IF NOT EXISTS (SELECT FROM public.caps AS c
                 WHERE public.cap_in_force(c.withdrawn_at, c.begins_at, c.ends_at, moment)) THEN
    RETURN;
  END IF;
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  SELECT c.region FROM public.caps AS c
  WHERE public.cap_in_force(c.withdrawn_at, c.begins_at, c.ends_at, moment)
    AND c.at_most <= (
      SELECT count(DISTINCT p.stay_id) FROM public.placements AS p
      WHERE p.receiving = c.region AND p.cross_regional AND p.reason <> 'safety'
        AND public.placement_live(p.status) AND p.referral_id IS DISTINCT FROM besides
    ) + (
      SELECT count(*) FROM public.holds AS h
      JOIN public.referrals AS r ON r.id = h.referral_id
      JOIN public.sites AS s ON s.id = h.site_id
      JOIN public.municipalities AS there ON there.code = s.municipality
      JOIN public.municipalities AS home ON home.code = r.origin
      WHERE public.hold_live(h.resolved_at, h.expires_at, moment)
        AND r.reason NOT IN ('safety', 'follow_on')
        AND there.region = c.region AND home.region <> c.region
        AND h.referral_id IS DISTINCT FROM besides
    );
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION reached_caps FROM PUBLIC;

-- The regions whose cap keeps a referral away. Of one for the next place of a stay, none is known
-- to: where they live now, and why, is said when it is confirmed.
CREATE OR REPLACE FUNCTION capped_regions(besides uuid) RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  moves_on boolean;
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  moves_on := EXISTS (SELECT FROM public.referrals AS r
                      WHERE r.id = besides AND r.reason = 'follow_on');
  PERFORM set_config('plek.actor', before, true);
  IF NOT moves_on THEN
    RETURN QUERY SELECT public.reached_caps(besides);
  END IF;
END $$;
REVOKE ALL ON FUNCTION capped_regions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION capped_regions TO plek_app;

-- Whether a region's cap leaves room, asked by one at a time: its row is the queue.
CREATE OR REPLACE FUNCTION cap_has_room(of_region text, besides uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  moment timestamptz := clock_timestamp();
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  PERFORM FROM public.caps AS c
  WHERE c.region = of_region
    AND public.cap_in_force(c.withdrawn_at, c.begins_at, c.ends_at, moment)
  FOR UPDATE;
  PERFORM set_config('plek.actor', before, true);
  RETURN NOT EXISTS (SELECT FROM public.reached_caps(besides) AS full_region
                     WHERE full_region = of_region);
END $$;
REVOKE ALL ON FUNCTION cap_has_room FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cap_has_room TO plek_app;

-- All openings, below an index, of the stays that concern the calling auditor's region, but of those
-- that had ended before a moment and of which nothing was told since. What was corrected concerns
-- both regions of before and of now, whoever may read it; the caller takes what is due.
CREATE OR REPLACE FUNCTION openings_to_settle(
  since bigint, below bigint, over_before timestamptz
) RETURNS TABLE (
  leaf bigint, referral_id uuid, opens_at timestamptz, departure bigint, sealed bytea
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  mine text := public.my_region();
BEGIN
  IF mine IS NULL OR NOT public.i_am('auditor') THEN
    RAISE EXCEPTION 'only the auditors of a region settle' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM set_config('plek.actor', 'worker', true);
  RETURN QUERY
  WITH theirs AS (
    SELECT DISTINCT l.placement_id
    FROM public.openings AS o JOIN public.leaves AS l ON l.index = o.index
    WHERE (o.origin_region = mine OR o.receiving_region = mine) AND o.index < below
  ), concerned AS (
    SELECT t.placement_id, d.index AS ended_with
    FROM theirs AS t
    LEFT JOIN public.leaves AS d ON d.placement_id = t.placement_id AND d.type = 'departure'
    WHERE d.index IS NULL OR d.written_at >= over_before OR EXISTS (
      SELECT FROM public.leaves AS n
      WHERE n.placement_id = t.placement_id AND n.index < below
        -- Something told after the end may have taken that back: only its opening says.
        AND (n.index >= since OR n.index > d.index))
  )
  SELECT l.index, p.referral_id, o.opens_at, s.ended_with, o.sealed
  FROM concerned AS s
  JOIN public.leaves AS l ON l.placement_id = s.placement_id AND l.index < below
  JOIN public.openings AS o ON o.index = l.index
  LEFT JOIN public.placements AS p ON p.id = s.placement_id
  ORDER BY l.index;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION openings_to_settle FROM PUBLIC;
GRANT EXECUTE ON FUNCTION openings_to_settle TO plek_app;

-- shares
GRANT SELECT, INSERT, UPDATE, DELETE ON shares TO plek_app;

-- quarter_totals
GRANT SELECT, INSERT, UPDATE (index) ON quarter_totals TO plek_app;
ALTER TABLE quarter_totals ENABLE ROW LEVEL SECURITY;
ALTER TABLE quarter_totals FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON quarter_totals TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON quarter_totals FOR SELECT
  USING ((SELECT i_oversee()) OR (SELECT acting()) = 'worker');
-- A quarter is sealed once: there is no second version.
CREATE POLICY "insert" ON quarter_totals FOR INSERT
  WITH CHECK ((SELECT acting()) = 'worker' AND index IS NULL AND version = 1);
CREATE POLICY "update" ON quarter_totals FOR UPDATE
  USING ((SELECT acting()) = 'worker' AND index IS NULL)
  WITH CHECK ((SELECT acting()) = 'worker' AND index IS NOT NULL);

-- quarter_figures
GRANT SELECT, INSERT ON quarter_figures TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON quarter_figures
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE quarter_figures ENABLE ROW LEVEL SECURITY;
ALTER TABLE quarter_figures FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON quarter_figures TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON quarter_figures FOR SELECT USING ((SELECT acting()) <> '');
CREATE POLICY "insert" ON quarter_figures FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');

-- caps
GRANT SELECT, INSERT, UPDATE (withdrawn_at, withdrawn_on) ON caps TO plek_app;
ALTER TABLE caps ENABLE ROW LEVEL SECURITY;
ALTER TABLE caps FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON caps TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON caps FOR SELECT USING ((SELECT acting()) <> '');
CREATE POLICY "insert" ON caps FOR INSERT
  WITH CHECK ((SELECT i_am('auditor')) AND region = (SELECT my_region()));
CREATE POLICY "update" ON caps FOR UPDATE
  USING (
    ((SELECT i_am('auditor')) AND region = (SELECT my_region()) AND withdrawn_at IS NULL)
    OR (SELECT acting()) = 'worker'
  )
  WITH CHECK ((SELECT i_am('auditor')) AND region = (SELECT my_region()));

-- displacements
GRANT SELECT, INSERT ON displacements TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON displacements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE displacements ENABLE ROW LEVEL SECURITY;
ALTER TABLE displacements FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON displacements TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON displacements FOR SELECT USING ((SELECT acting()) = 'worker');
CREATE POLICY "insert" ON displacements FOR INSERT
  WITH CHECK (
    EXISTS (SELECT FROM leaves AS l
            WHERE l.index = displacements.index AND received_here(l.placement_id))
  );
