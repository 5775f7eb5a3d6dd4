-- Budgets: how much one account and one desk may do before a colleague raises it.

-- A number of the policy in force. What a policy does not state is as `Budgets` and `Policy` in
-- app/allocation/policy/policy.py have it; a test compares.
CREATE OR REPLACE FUNCTION policy_number(of_name text) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT coalesce(
    (SELECT (p.document #>> string_to_array(of_name, '.'))::integer FROM public.policies AS p
     WHERE p.valid_from <= clock_timestamp() ORDER BY p.valid_from DESC LIMIT 1),
    CASE of_name
      WHEN 'budgets.referrals' THEN 30 WHEN 'budgets.rankings' THEN 100
      WHEN 'budgets.holds' THEN 8 WHEN 'budgets.desk_holds' THEN 16
      WHEN 'budgets.confidential_sites' THEN 10 WHEN 'budgets.raise_hours' THEN 12
      WHEN 'second_factor_minutes' THEN 120 WHEN 'address_hours' THEN 24
      WHEN 'independence_days' THEN 7 WHEN 'account_change_hours' THEN 24
      WHEN 'vouched_hours' THEN 10 WHEN 'decline_hours' THEN 24
      WHEN 'alternative_check_hours' THEN 24
      WHEN 'approval_hours' THEN 24 WHEN 'arrival_alarm_minutes' THEN 120
      WHEN 'safety_plan_hours' THEN 24
    END)
$$;
REVOKE ALL ON FUNCTION policy_number FROM PUBLIC;
GRANT EXECUTE ON FUNCTION policy_number TO plek_app;

-- Whether a spent budget refuses. Where requests are not limited (PLEK_RATE_LIMIT=0) budgets are
-- only counted, but nowhere except in the demo country.
CREATE OR REPLACE FUNCTION budgets_refuse() RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT current_setting('plek.budgets', true) IS DISTINCT FROM 'counted'
    OR NOT EXISTS (SELECT FROM public.accounts AS a WHERE a.demo)
$$;
REVOKE ALL ON FUNCTION budgets_refuse FROM PUBLIC;

-- How often an account's budgets are doubled now.
CREATE OR REPLACE FUNCTION live_raises(of_account uuid) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT least(count(*), 10)::integer FROM public.budget_raises AS r
  WHERE r.account_id = of_account AND r.until > clock_timestamp()
$$;
REVOKE ALL ON FUNCTION live_raises FROM PUBLIC;

-- How many live holds on other providers' places a desk may have now. What an account raises for
-- itself counts for itself alone; colleagues together double it once, each administrator again.
CREATE OR REPLACE FUNCTION desk_holds_allowed(of_provider uuid) RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT public.policy_number('budgets.desk_holds')
    << least(count(*) FILTER (WHERE r.as_what = 'administrator')
             + CASE WHEN bool_or(r.as_what = 'colleague') THEN 1 ELSE 0 END, 10)::integer
  FROM public.budget_raises AS r
  WHERE r.provider_id = of_provider AND r.until > clock_timestamp()
$$;
REVOKE ALL ON FUNCTION desk_holds_allowed FROM PUBLIC;

-- The live holds on other providers' places, of a desk and of one of its accounts. Counted with the
-- worker's eyes: a shielded referral's hold is one as well. Swaps are agreed by everybody in them.
CREATE OR REPLACE FUNCTION live_foreign_holds(of_provider uuid, of_account uuid)
RETURNS TABLE (desk integer, account integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE before text := public.acting();
BEGIN
  PERFORM set_config('plek.actor', 'worker', true);
  SELECT count(*), count(*) FILTER (WHERE h.account_id = of_account) INTO desk, account
  FROM public.holds AS h
  WHERE h.provider_id = of_provider AND h.resolved_at IS NULL
    AND h.receiver_id <> h.provider_id AND h.swap_id IS NULL
    AND public.hold_live(h.resolved_at, h.expires_at, clock_timestamp());
  PERFORM set_config('plek.actor', before, true);
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION live_foreign_holds FROM PUBLIC;

-- In how many seconds the caller may use a budget so many times more: 0 for now.
CREATE OR REPLACE FUNCTION budget_wait(of_kind text, of_subject uuid, times integer)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  me uuid := public.my_account();
  most integer := public.policy_number('budgets.' || of_kind) << public.live_raises(me);
  span interval := CASE of_kind WHEN 'confidential_sites' THEN '7 days' ELSE '1 day' END;
  since timestamptz := clock_timestamp() - span;
  frees timestamptz;
BEGIN
  IF NOT public.budgets_refuse()
     OR EXISTS (SELECT FROM public.budget_uses AS u
                WHERE u.account_id = me AND u.kind = of_kind AND u.subject = of_subject
                  AND u.at > since)
  THEN
    RETURN 0;
  END IF;
  IF times > most THEN
    RETURN extract(epoch FROM span)::integer;
  END IF;
  -- There is room once the use that stands in the way is as old as the span.
  SELECT u.at INTO frees FROM public.budget_uses AS u
  WHERE u.account_id = me AND u.kind = of_kind AND u.at > since
  ORDER BY u.at DESC OFFSET most - times LIMIT 1;
  RETURN CASE WHEN frees IS NULL THEN 0
              ELSE greatest(1, ceil(extract(epoch FROM frees - since))::integer) END;
END $$;
REVOKE ALL ON FUNCTION budget_wait FROM PUBLIC;
GRANT EXECUTE ON FUNCTION budget_wait TO plek_app;

-- Use a budget of the caller, or refuse. The account's uses take turns, so that the sum is right.
CREATE OR REPLACE FUNCTION spend_budget(of_kind text, of_subject uuid, times integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  me uuid := public.my_account();
  wait_s integer;
BEGIN
  IF public.acting() <> 'account' THEN
    RETURN;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('budget ' || me, 0));
  wait_s := public.budget_wait(of_kind, of_subject, times);
  IF wait_s > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'PLB01', MESSAGE = of_kind, DETAIL = wait_s::text;
  END IF;
  INSERT INTO public.budget_uses (account_id, kind, subject)
  SELECT me, of_kind, of_subject FROM generate_series(1, times)
  WHERE of_subject IS NULL
     OR NOT EXISTS (SELECT FROM public.budget_uses AS u
                    WHERE u.account_id = me AND u.kind = of_kind AND u.subject = of_subject
                      AND u.at > clock_timestamp() - interval '7 days');
END $$;
REVOKE ALL ON FUNCTION spend_budget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION spend_budget TO plek_app;

-- The trigger of a new referral at the caller's own desk.
CREATE OR REPLACE FUNCTION spend_referral() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF NEW.provider_id = public.my_provider() THEN
    PERFORM public.spend_budget('referrals', NULL, 1);
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION spend_referral FROM PUBLIC;

-- The trigger of a new hold: whose it is, and whether account and desk may have one more at another
-- provider. A desk's holds take turns from here to their commit, so that the sums are right; those
-- on own places wait for nobody.
CREATE OR REPLACE FUNCTION spend_hold() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  taken record;
  most integer;
BEGIN
  -- `take_hold` acts for an account with the operator's eyes; an exchange is agreed by all in it.
  IF public.my_account() IS NULL OR public.acting() NOT IN ('account', 'operator') THEN
    RETURN NEW;
  END IF;
  NEW.account_id := public.my_account();
  IF NEW.receiver_id = NEW.provider_id OR NOT public.budgets_refuse() THEN
    RETURN NEW;
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('holds of ' || NEW.provider_id, 0));
  SELECT * INTO taken FROM public.live_foreign_holds(NEW.provider_id, NEW.account_id);
  IF taken.account >= (public.policy_number('budgets.holds')
                       << public.live_raises(NEW.account_id)) THEN
    RAISE EXCEPTION USING ERRCODE = 'PLB01', MESSAGE = 'holds';
  END IF;
  most := public.desk_holds_allowed(NEW.provider_id);
  IF taken.desk >= most THEN
    RAISE EXCEPTION USING ERRCODE = 'PLB01', MESSAGE = 'desk_holds';
  END IF;
  IF taken.desk + 1 = most THEN
    INSERT INTO public.budget_alarms (provider_id, holds) VALUES (NEW.provider_id, most);
    PERFORM public.mail_administrators('budget_alarm');
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION spend_hold FROM PUBLIC;

-- Whether the bearer of one of the caller's own tokens proved a second factor not too long ago.
CREATE OR REPLACE FUNCTION proved_lately(of_token uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM public.tokens AS t LEFT JOIN public.sessions AS s ON s.token_id = t.id
    WHERE t.id = of_token AND t.account_id = public.my_account()
      AND coalesce(s.proved_at, t.created_at)
          > clock_timestamp() - make_interval(mins => public.policy_number('second_factor_minutes'))
  )
$$;
REVOKE ALL ON FUNCTION proved_lately FROM PUBLIC;
GRANT EXECUTE ON FUNCTION proved_lately TO plek_app;

-- Note that the second factor of a session's account was proved again.
CREATE OR REPLACE FUNCTION prove_session(of_token uuid, of_account uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF public.acting() <> 'signing' THEN
    RAISE insufficient_privilege;
  END IF;
  UPDATE public.sessions SET proved_at = clock_timestamp()
  WHERE token_id = of_token AND account_id = of_account;
END $$;
REVOKE ALL ON FUNCTION prove_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prove_session TO plek_app;

-- Double an account's budgets for the policy's hours: one's own with a second factor, those of any
-- other account of the desk, or as an administrator. Each may do so once in that time; the answer
-- is `raised`, `already`, `unproved`, or `missing` where there is no such account for the caller.
CREATE OR REPLACE FUNCTION raise_budget(raise_id uuid, of_account uuid, of_token uuid, because text)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  me uuid := public.my_account();
  desk uuid;
  as_what text;
BEGIN
  SELECT a.provider_id INTO desk FROM public.accounts AS a
  WHERE a.id = of_account AND a.disabled_at IS NULL AND a.provider_id IS NOT NULL;
  as_what := CASE
    WHEN desk IS NULL OR public.acting() <> 'account' THEN NULL
    WHEN of_account = me AND public.i_am_staff() THEN 'oneself'
    WHEN public.i_am_staff() AND desk = public.my_provider() THEN 'colleague'
    WHEN public.i_am('administrator') THEN 'administrator'
  END;
  IF as_what IS NULL THEN
    RETURN 'missing';
  END IF;
  IF (as_what = 'oneself'
      OR EXISTS (SELECT FROM public.tokens AS t WHERE t.id = of_token AND t.only_role IS NOT NULL))
     AND NOT public.proved_lately(of_token) THEN
    RETURN 'unproved';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('raises of ' || of_account, 0));
  IF EXISTS (SELECT FROM public.budget_raises AS r
             WHERE r.account_id = of_account AND r.raised_by = me
               AND r.until > clock_timestamp()) THEN
    RETURN 'already';
  END IF;
  INSERT INTO public.budget_raises (id, account_id, provider_id, raised_by, as_what, reason, until)
  VALUES (raise_id, of_account, desk, me, as_what, because,
          clock_timestamp() + make_interval(hours => public.policy_number('budgets.raise_hours')));
  PERFORM public.mail_administrators('budget_raised');
  RETURN 'raised';
END $$;
REVOKE ALL ON FUNCTION raise_budget FROM PUBLIC;
GRANT EXECUTE ON FUNCTION raise_budget TO plek_app;

-- What the caller has used of each budget, and how much there is.
CREATE OR REPLACE FUNCTION my_budgets() RETURNS TABLE (kind text, used integer, most integer)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  me uuid := public.my_account();
  doubled integer := public.live_raises(me);
  taken record;
BEGIN
  SELECT * INTO taken FROM public.live_foreign_holds(public.my_provider(), me);
  RETURN QUERY
  SELECT b.kind, coalesce(b.live, (
           SELECT count(*)::integer FROM public.budget_uses AS u
           WHERE u.account_id = me AND u.kind = b.kind
             AND u.at > clock_timestamp() - b.span)),
         coalesce(b.allowed, public.policy_number('budgets.' || b.kind) << doubled)
  FROM (VALUES
    (1, 'referrals', interval '1 day', NULL::integer, NULL::integer),
    (2, 'rankings', interval '1 day', NULL, NULL),
    (3, 'holds', NULL, taken.account, NULL),
    (4, 'desk_holds', NULL, taken.desk, public.desk_holds_allowed(public.my_provider())),
    (5, 'confidential_sites', interval '7 days', NULL, NULL)
  ) AS b (place, kind, span, live, allowed)
  ORDER BY b.place;
END $$;
REVOKE ALL ON FUNCTION my_budgets FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_budgets TO plek_app;

-- budget_uses:
-- Written by the functions above alone, and forgotten by the worker.
GRANT SELECT, DELETE ON budget_uses TO plek_app;
ALTER TABLE budget_uses ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_uses FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON budget_uses TO CURRENT_USER USING (true);
CREATE POLICY "select" ON budget_uses FOR SELECT USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON budget_uses FOR DELETE USING ((SELECT acting()) = 'worker');

-- budget_raises:
-- Seen by the whole desk and by administrators.
GRANT SELECT ON budget_raises TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON budget_raises
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE budget_raises ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_raises FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON budget_raises TO CURRENT_USER USING (true);
CREATE POLICY "select" ON budget_raises FOR SELECT
  USING (
    (SELECT i_am('administrator'))
    OR ((SELECT i_am_staff()) AND provider_id = (SELECT my_provider()))
  );

-- budget_alarms:
-- For administrators.
GRANT SELECT ON budget_alarms TO plek_app;
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON budget_alarms
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE budget_alarms ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_alarms FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON budget_alarms TO CURRENT_USER USING (true);
CREATE POLICY "select" ON budget_alarms FOR SELECT USING ((SELECT i_am('administrator')));
