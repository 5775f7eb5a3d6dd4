-- Vouchings: a colleague of the same desk, with a second factor of their own proved just now, vouches
-- for one session of an intake worker who is locked out on duty.

-- Vouch for a colleague, as the bearer of one of the caller's tokens: `vouched`, `missing` (no such
-- colleague who could come in by themselves), `unproved`, `vouched_for` (who was let in like that
-- vouches for nobody), or `already`. A code that was not used yet ends.
CREATE OR REPLACE FUNCTION vouch(
  new_id uuid, for_account uuid, by_token uuid, hashed bytea, code_valid interval
) RETURNS TABLE (outcome text, code_until timestamptz, ends_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  me uuid := public.my_account();
  desk uuid := public.my_provider();
  enrolled boolean;
BEGIN
  IF before <> 'account' OR NOT public.i_am_staff() OR desk IS NULL THEN
    outcome := 'missing';
    RETURN NEXT;
    RETURN;
  END IF;
  PERFORM FROM public.accounts AS a
  WHERE a.id = for_account AND a.id <> me AND a.provider_id = desk AND a.disabled_at IS NULL
    AND 'intake_worker' = ANY (a.roles)
  FOR UPDATE;
  outcome := CASE WHEN FOUND THEN 'vouched' ELSE 'missing' END;
  PERFORM set_config('plek.actor', 'operator', true);
  enrolled := EXISTS (SELECT FROM public.credentials AS c
                      WHERE c.account_id = for_account AND c.enrolled_at IS NOT NULL);
  PERFORM set_config('plek.actor', before, true);
  IF outcome = 'missing' OR NOT enrolled THEN
    outcome := 'missing';
  ELSIF EXISTS (SELECT FROM public.tokens AS t WHERE t.id = by_token AND t.only_role IS NOT NULL)
  THEN
    outcome := 'vouched_for';
  ELSIF NOT public.proved_lately(by_token) THEN
    outcome := 'unproved';
  ELSIF EXISTS (SELECT FROM public.vouchings AS v JOIN public.tokens AS t ON t.id = v.token_id
                WHERE v.account_id = for_account
                  AND public.token_valid(t.revoked_at, t.expires_at, clock_timestamp())) THEN
    outcome := 'already';
  ELSE
    UPDATE public.vouchings AS v SET code_until = clock_timestamp()
    WHERE v.account_id = for_account AND v.used_at IS NULL AND v.code_until > clock_timestamp();
    code_until := clock_timestamp() + code_valid;
    ends_at := clock_timestamp() + make_interval(hours => public.policy_number('vouched_hours'));
    INSERT INTO public.vouchings
      (id, account_id, provider_id, vouched_by, code_hash, code_until, ends_at)
    VALUES (new_id, for_account, desk, me, hashed, code_until, ends_at);
    PERFORM public.mail_provider(desk, 'vouched', ends_at);
  END IF;
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION vouch FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vouch TO plek_app;

-- Open the session that a colleague vouched for: as an intake worker alone, to the end of the
-- shift, and with no second factor proved. Nothing where the code is not that of this account.
CREATE OR REPLACE FUNCTION open_vouched_session(
  of_account uuid, of_code bytea, hashed bytea, idle interval, on_device text, admits_demo boolean
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  new_id uuid := gen_random_uuid();
  vouching public.vouchings;
BEGIN
  IF public.acting() <> 'signing' THEN
    RAISE insufficient_privilege;
  END IF;
  PERFORM FROM public.accounts AS a WHERE a.id = of_account FOR SHARE;
  UPDATE public.vouchings AS v SET used_at = clock_timestamp()
  FROM public.accounts AS a
  WHERE v.account_id = of_account AND v.code_hash = of_code AND v.used_at IS NULL
    AND v.code_until > clock_timestamp()
    AND a.id = v.account_id AND a.provider_id = v.provider_id
    AND 'intake_worker' = ANY (a.roles)
    AND public.account_admitted(a.disabled_at, a.demo, admits_demo)
  RETURNING v.* INTO vouching;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO public.tokens (id, account_id, hash, expires_at, only_role)
  VALUES (new_id, of_account, hashed, least(vouching.ends_at, clock_timestamp() + idle),
          'intake_worker');
  INSERT INTO public.sessions (token_id, account_id, ends_at, proved_at, device)
  VALUES (new_id, of_account, vouching.ends_at, '-infinity', on_device);
  UPDATE public.vouchings SET token_id = new_id WHERE id = vouching.id;
  RETURN new_id;
END $$;
REVOKE ALL ON FUNCTION open_vouched_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_vouched_session TO plek_app;

-- End what was vouched for at the caller's desk, code and session; whose it was, if there is any.
CREATE OR REPLACE FUNCTION end_vouching(of_vouching uuid) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE vouching public.vouchings;
BEGIN
  UPDATE public.vouchings AS v
  SET code_until = least(v.code_until, clock_timestamp()),
      ends_at = least(v.ends_at, clock_timestamp())
  WHERE v.id = of_vouching AND v.provider_id = public.my_provider() AND public.i_am_staff()
  RETURNING v.* INTO vouching;
  UPDATE public.tokens AS t SET revoked_at = coalesce(t.revoked_at, clock_timestamp())
  WHERE t.id = vouching.token_id;
  RETURN vouching.account_id;
END $$;
REVOKE ALL ON FUNCTION end_vouching FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_vouching TO plek_app;

-- What was vouched for at the caller's desk, the newest first.
CREATE OR REPLACE FUNCTION vouchings_seen(
  of_vouching uuid, before_at timestamptz, before_id uuid, most integer
) RETURNS TABLE (
  id uuid, account_id uuid, name text, vouched_by uuid, by_name text, at timestamptz,
  code_until timestamptz, ends_at timestamptz, used_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT v.id, v.account_id, a.name, v.vouched_by, b.name, v.at, v.code_until, v.ends_at, v.used_at
  FROM public.vouchings AS v JOIN public.accounts AS a ON a.id = v.account_id
  JOIN public.accounts AS b ON b.id = v.vouched_by
  WHERE v.provider_id = public.my_provider() AND public.i_am_staff()
    AND (of_vouching IS NULL OR v.id = of_vouching)
    AND (before_at IS NULL OR (v.at, v.id) < (before_at, before_id))
  ORDER BY v.at DESC, v.id DESC LIMIT most
$$;
REVOKE ALL ON FUNCTION vouchings_seen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION vouchings_seen TO plek_app;

-- vouchings:
-- Written and read by the functions above alone.
ALTER TABLE vouchings ENABLE ROW LEVEL SECURITY;
ALTER TABLE vouchings FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON vouchings TO CURRENT_USER USING (true);
