-- The weekly review of what accounts did, and who answers for what it found.

-- Whether two accounts are two persons as far as anybody knows: neither made, invited or reset the
-- other, or gave it its role. That one administrator made all accounts of a country, as often, tells
-- nothing here. A part of the functions below.
CREATE OR REPLACE FUNCTION stand_apart(one uuid, other uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN one <> other AND NOT EXISTS (
    SELECT FROM public.account_acts AS a
    WHERE (a.account_id = one AND a.by_account = other)
       OR (a.account_id = other AND a.by_account = one));
END $$;
REVOKE ALL ON FUNCTION stand_apart FROM PUBLIC;

-- Whether others worked on a referral after a moment: an account of its desk, or one that recorded
-- the arrival; with `arrived` only that. Nobody answers for oneself, nor does an account that one
-- of the two made, invited or reset. Looks are no work, and an acceptance says nothing of the
-- sender. A part of the function below.
CREATE OR REPLACE FUNCTION others_followed(
  of_referral uuid, of_account uuid, since timestamptz, until timestamptz, arrived boolean
) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE desk uuid := (SELECT r.provider_id FROM public.referrals AS r WHERE r.id = of_referral);
BEGIN
  RETURN EXISTS (
    SELECT FROM (
      SELECT l.at, l.account_id, l.provider_id, l.action, l.outcome
      FROM public.access_log_referrals AS n JOIN public.access_log AS l ON l.id = n.entry_id
      WHERE n.referral_id = of_referral
      UNION ALL
      SELECT l.at, l.account_id, l.provider_id, l.action, l.outcome FROM public.access_log AS l
      WHERE l.object_id = ANY (ARRAY(
        SELECT of_referral
        UNION ALL SELECT h.id FROM public.holds AS h WHERE h.referral_id = of_referral
        UNION ALL SELECT p.id FROM public.placements AS p WHERE p.referral_id = of_referral))
    ) AS l
    WHERE l.outcome = 'granted' AND l.account_id <> of_account AND l.at < until
      AND CASE
        WHEN l.action = 'arrive' THEN l.at > since
        WHEN arrived OR l.provider_id IS DISTINCT FROM desk THEN false
        WHEN l.action = 'register' THEN true
        ELSE l.at > since AND l.action IN (
          'change', 'note', 'rank', 'hold', 'renew', 'release', 'confirm', 'no_show', 'take_over',
          'arrange', 'withdraw', 'reopen', 'propose', 'search_swaps', 'correct', 'depart')
      END
      AND public.stand_apart(l.account_id, of_account));
END $$;
REVOKE ALL ON FUNCTION others_followed FROM PUBLIC;

-- What each account that worked in some days did there, as `SIGNALS` in
-- app/allocation/figures/review.py explains. What came of it counts if it came within seven days, and
-- of a referral on which others worked the first twenty rankings do not count. For the worker.
CREATE OR REPLACE FUNCTION review_counts(since timestamptz, until timestamptz)
RETURNS TABLE (account_id uuid, provider_id uuid, counts jsonb)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE before text := public.acting();
BEGIN
  IF before NOT IN ('worker', 'operator') THEN
    RAISE insufficient_privilege;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  RETURN QUERY
  WITH done AS MATERIALIZED (
    SELECT l.* FROM public.access_log AS l
    WHERE l.at >= since AND l.at < until AND l.outcome = 'granted' AND l.account_id IS NOT NULL
      AND l.roles <> '{client_system}'
  ), steps AS (
    SELECT d.account_id, r.referral_id, d.at, d.action,
           lag(d.action) OVER (PARTITION BY d.account_id, r.referral_id ORDER BY d.id) AS previous
    FROM done AS d CROSS JOIN LATERAL unnest(d.referral_ids) AS r (referral_id)
    WHERE (d.action = 'rank' AND d.purpose = 'offers')
       OR (d.action = 'change' AND d.purpose IN ('danger_zones', 'anchors'))
  ), ranked AS (
    SELECT s.account_id, s.referral_id, count(*) AS rankings,
           count(*) FILTER (WHERE s.previous = 'change') AS moved, min(s.at) AS first,
           max(s.at) AS last
    FROM steps AS s WHERE s.action = 'rank' GROUP BY s.account_id, s.referral_id
  ), judged AS (
    SELECT k.*, public.others_followed(
      k.referral_id, k.account_id, k.first, k.last + interval '7 days', false) AS followed
    FROM ranked AS k
  ), seen AS (
    SELECT d.account_id, r.referral_id, min(d.at) AS first, max(d.at) AS last
    FROM done AS d CROSS JOIN LATERAL unnest(d.referral_ids) AS r (referral_id)
    JOIN public.sites AS s ON s.id = d.object_id
    WHERE d.action = 'reveal' AND s.provider_id <> d.provider_id
    GROUP BY d.account_id, r.referral_id
  ), counted (account_id, signal, times) AS (
    SELECT j.account_id, 'rankings',
           sum(CASE WHEN j.followed THEN greatest(j.rankings - 20, 0) ELSE j.rankings END)
    FROM judged AS j GROUP BY j.account_id
    UNION ALL
    SELECT j.account_id, 'moved_rankings', sum(j.moved)
    FROM judged AS j WHERE NOT j.followed GROUP BY j.account_id
    UNION ALL
    SELECT v.account_id, 'reveals', count(*) FROM seen AS v
    WHERE NOT public.others_followed(
      v.referral_id, v.account_id, v.first, v.last + interval '7 days', true)
    GROUP BY v.account_id
    UNION ALL
    SELECT d.account_id, 'own_addresses', count(DISTINCT d.object_id)
    FROM done AS d JOIN public.sites AS s ON s.id = d.object_id
    WHERE d.action = 'reveal' AND s.provider_id = d.provider_id GROUP BY d.account_id
    UNION ALL
    SELECT d.account_id,
           CASE d.action WHEN 'accept' THEN 'acceptances' ELSE 'danger_looks' END,
           count(DISTINCT h.id)
    FROM done AS d JOIN public.holds AS h ON h.id = d.object_id
    WHERE d.action IN ('accept', 'danger_look') AND h.status <> 'placed'
    GROUP BY d.account_id, d.action
    UNION ALL
    SELECT d.account_id,
           CASE d.action WHEN 'follow' THEN 'streams' WHEN 'raise' THEN 'budget_raises'
                         ELSE 'takeovers' END,
           count(DISTINCT CASE d.action WHEN 'take_over' THEN d.object_id::text
                                        ELSE d.id::text END)
    FROM done AS d
    WHERE d.action IN ('raise', 'take_over')
       OR (d.action = 'follow' AND d.object_type = 'events')
    GROUP BY d.account_id, d.action
  ), accounts_of AS (
    SELECT d.account_id, (array_agg(d.provider_id ORDER BY d.id DESC))[1] AS provider_id
    FROM done AS d GROUP BY d.account_id
  )
  SELECT a.account_id, a.provider_id,
         coalesce(jsonb_object_agg(c.signal, c.times) FILTER (WHERE c.times > 0), '{}')
  FROM accounts_of AS a LEFT JOIN counted AS c ON c.account_id = a.account_id
  GROUP BY a.account_id, a.provider_id;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION review_counts FROM PUBLIC;
GRANT EXECUTE ON FUNCTION review_counts TO plek_app;

-- Whether the caller may see and answer what was found of an account: an administrator, or a
-- coordinator of its desk; never that account, nor one that it made, invited or reset.
CREATE OR REPLACE FUNCTION may_answer_for(of_account uuid, of_provider uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN (public.i_am('administrator')
          OR (public.i_am('coordinator') AND of_provider = public.my_provider()))
    AND of_account <> public.my_account()
    AND NOT EXISTS (SELECT FROM public.account_acts AS a
                    WHERE a.account_id = public.my_account() AND a.by_account = of_account);
END $$;
REVOKE ALL ON FUNCTION may_answer_for FROM PUBLIC;
GRANT EXECUTE ON FUNCTION may_answer_for TO plek_app;

-- Answer a finding, once; whether there was one that the caller may answer, and it had no answer.
CREATE OR REPLACE FUNCTION answer_finding(of_finding uuid, with_code text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE finding public.review_findings;
BEGIN
  SELECT f.* INTO finding FROM public.review_findings AS f WHERE f.id = of_finding FOR UPDATE;
  IF finding.id IS NULL OR NOT public.may_answer_for(finding.account_id, finding.provider_id) THEN
    RETURN 'missing';
  ELSIF finding.answered_at IS NOT NULL THEN
    RETURN 'answered';
  END IF;
  UPDATE public.review_findings
  SET answer = with_code, answered_by = public.my_account(), answered_at = clock_timestamp()
  WHERE id = of_finding;
  RETURN 'done';
END $$;
REVOKE ALL ON FUNCTION answer_finding FROM PUBLIC;
GRANT EXECUTE ON FUNCTION answer_finding TO plek_app;

-- review_weeks: which weeks have been reviewed, and how many accounts were compared.
GRANT SELECT, INSERT ON review_weeks TO plek_app;
ALTER TABLE review_weeks ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_weeks FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON review_weeks TO CURRENT_USER USING (true);
CREATE POLICY "select" ON review_weeks FOR SELECT
  USING ((SELECT acting()) = 'worker' OR (SELECT i_am('administrator'))
         OR (SELECT i_am('coordinator')));
CREATE POLICY "insert" ON review_weeks FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');

-- review_findings:
-- Written by the worker, answered by the function above alone.
GRANT SELECT, INSERT ON review_findings TO plek_app;
ALTER TABLE review_findings ENABLE ROW LEVEL SECURITY;
ALTER TABLE review_findings FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON review_findings TO CURRENT_USER USING (true);
CREATE POLICY "select" ON review_findings FOR SELECT
  USING (may_answer_for(account_id, provider_id));
CREATE POLICY "insert" ON review_findings FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
