-- Mails: written with what they tell of, sent by the worker. A row names an account and a subject, and
-- the address stays sealed with the account until the moment of sending.

-- Whether an account's owner ever came in: an invitation that nobody accepted hears of nothing.
CREATE OR REPLACE FUNCTION account_entered(of_account uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM public.tokens AS t WHERE t.account_id = of_account)
    OR EXISTS (SELECT FROM public.account_acts AS b
               WHERE b.account_id = of_account AND b.act IN ('entered', 'reset'))
$$;
REVOKE ALL ON FUNCTION account_entered FROM PUBLIC;

-- Write to everybody who works at a provider with an account of their own, and to those who were
-- disabled there just now: else an administrator who shuts everybody out tells nobody.
CREATE OR REPLACE FUNCTION mail_provider(
  of_provider uuid, of_subject text, at_moment timestamptz
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO public.mails (account_id, subject, moment)
  SELECT a.id, of_subject, at_moment FROM public.accounts AS a
  WHERE ((a.provider_id = of_provider AND a.roles && ARRAY['intake_worker', 'coordinator'])
         -- Or was moved away, or lost its role there, just now.
         OR a.id IN (SELECT e.account_id FROM public.account_acts AS e
                     JOIN public.account_acts AS r ON r.account_id = e.account_id
                     WHERE e.act = 'entered' AND e.provider_id = of_provider AND r.act = 'role'
                       AND r.at > clock_timestamp() - interval '7 days'))
    AND public.account_entered(a.id)
    AND (a.disabled_at IS NULL OR a.disabled_at > clock_timestamp() - interval '7 days')
$$;
REVOKE ALL ON FUNCTION mail_provider FROM PUBLIC;

-- Write to whom a change of an account concerns: everyone at its provider, or the owner of one at
-- none, and administrators of a colleague of theirs.
CREATE OR REPLACE FUNCTION mail_concerned(
  of_account uuid, of_provider uuid, of_subject text, at_moment timestamptz
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF of_provider IS NOT NULL THEN
    PERFORM public.mail_provider(of_provider, of_subject, at_moment);
    RETURN;
  END IF;
  INSERT INTO public.mails (account_id, subject, moment)
  SELECT a.id, of_subject, at_moment
  FROM public.accounts AS a JOIN public.accounts AS changed ON changed.id = of_account
  WHERE (a.id = changed.id
         OR ('administrator' = ANY (a.roles) AND 'administrator' = ANY (changed.roles)))
    AND public.account_entered(a.id)
    AND (a.disabled_at IS NULL OR a.disabled_at > clock_timestamp() - interval '7 days');
END $$;
REVOKE ALL ON FUNCTION mail_concerned FROM PUBLIC;

-- Write to every administrator.
CREATE OR REPLACE FUNCTION mail_administrators(of_subject text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO public.mails (account_id, subject)
  SELECT a.id, of_subject FROM public.accounts AS a
  WHERE 'administrator' = ANY (a.roles) AND a.disabled_at IS NULL AND public.account_entered(a.id)
$$;
REVOKE ALL ON FUNCTION mail_administrators FROM PUBLIC;

-- Lease mails that are due to the worker that asks, with the sealed names of those they go to. No
-- lock is held while a server takes its time: a lease that ran out is due again.
CREATE OR REPLACE FUNCTION lease_mails(most integer, lease interval) RETURNS TABLE (
  id uuid, account_id uuid, subject text, moment timestamptz, attempts integer, key bytea,
  name bytea
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  IF before <> 'worker' THEN
    RAISE insufficient_privilege;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  RETURN QUERY
  WITH leased AS (
    UPDATE public.mails AS m SET next_at = clock_timestamp() + lease, attempts = m.attempts + 1
    WHERE m.id IN (SELECT d.id FROM public.mails AS d
                   WHERE d.ended_at IS NULL AND d.next_at <= clock_timestamp()
                   ORDER BY d.next_at LIMIT most FOR UPDATE SKIP LOCKED)
    RETURNING m.*
  )
  SELECT l.id, l.account_id, l.subject, l.moment, l.attempts, c.key, c.name
  FROM leased AS l LEFT JOIN public.credentials AS c ON c.account_id = l.account_id;
  PERFORM set_config('plek.actor', before, true);
END $$;
REVOKE ALL ON FUNCTION lease_mails FROM PUBLIC;
GRANT EXECUTE ON FUNCTION lease_mails TO plek_app;

-- mails
GRANT SELECT, UPDATE, DELETE ON mails TO plek_app;
ALTER TABLE mails ENABLE ROW LEVEL SECURITY;
ALTER TABLE mails FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON mails TO CURRENT_USER USING (true);
CREATE POLICY "select" ON mails FOR SELECT USING ((SELECT acting()) = 'worker');
CREATE POLICY "update" ON mails FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON mails FOR DELETE USING ((SELECT acting()) = 'worker');
