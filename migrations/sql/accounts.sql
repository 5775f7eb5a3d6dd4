-- Accounts, credentials and sessions.

-- The application has no rights on tokens and sessions: it opens, keeps and ends them through
-- these functions, which make no other tokens and end no others (docs/adr/0021-signing-in.md).

-- The people of the caller's provider, for naming the colleagues of a shielded referral.
CREATE OR REPLACE FUNCTION colleagues() RETURNS TABLE (account_id uuid, name text, roles text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT a.id, a.name, a.roles FROM public.accounts AS a
  WHERE a.provider_id = public.my_provider() AND a.disabled_at IS NULL ORDER BY a.name, a.id
$$;
REVOKE ALL ON FUNCTION colleagues FROM PUBLIC;
GRANT EXECUTE ON FUNCTION colleagues TO plek_app;

-- Whether the caller sees an account: the own one, and as administrator or at signing in any.
CREATE OR REPLACE FUNCTION sees_account(of_account uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN of_account = my_account() OR i_am('administrator') OR acting() = 'signing';

-- Whether the caller keeps accounts like this one: an administrator any, a coordinator those of the
-- own provider's people who are nothing beyond that. Nobody keeps their own.
CREATE OR REPLACE FUNCTION manages(of_provider uuid, its_roles text[]) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN i_am('administrator')
  OR (i_am('coordinator') AND of_provider IS NOT NULL AND of_provider = my_provider()
      AND its_roles <@ ARRAY['intake_worker', 'coordinator']);

-- Whether the caller keeps this account.
CREATE OR REPLACE FUNCTION keeps_account(of_account uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.accounts AS a
                 WHERE a.id = of_account AND public.manages(a.provider_id, a.roles));
END $$;
REVOKE ALL ON FUNCTION keeps_account FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeps_account TO plek_app;

CREATE OR REPLACE FUNCTION open_session(
  of_account uuid, hashed bytea, idle interval, longest interval, on_device text,
  admits_demo boolean
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  new_id uuid := gen_random_uuid();
  until timestamptz := clock_timestamp() + longest;
BEGIN
  IF public.acting() <> 'signing' THEN
    RAISE insufficient_privilege;
  END IF;
  -- Locked, so that an account that is just being disabled does not come in beside it.
  PERFORM FROM public.accounts AS a
  WHERE a.id = of_account AND public.account_admitted(a.disabled_at, a.demo, admits_demo)
  FOR SHARE;
  IF NOT FOUND THEN
    RETURN NULL;
  END IF;
  INSERT INTO public.tokens (id, account_id, hash, expires_at)
  VALUES (new_id, of_account, hashed, least(until, clock_timestamp() + idle));
  INSERT INTO public.sessions (token_id, account_id, ends_at, device)
  VALUES (new_id, of_account, until, on_device);
  RETURN new_id;
END $$;
REVOKE ALL ON FUNCTION open_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION open_session TO plek_app;

CREATE OR REPLACE FUNCTION keep_session(hashed bytea, idle interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  WITH seen AS (
    UPDATE public.sessions AS s SET seen_at = clock_timestamp() FROM public.tokens AS t
    WHERE t.hash = hashed AND s.token_id = t.id AND s.account_id = public.my_account()
      AND public.token_valid(t.revoked_at, t.expires_at, clock_timestamp())
      AND s.seen_at < clock_timestamp() - interval '30 seconds'
    RETURNING s.token_id, s.ends_at
  )
  UPDATE public.tokens AS t SET expires_at = least(seen.ends_at, clock_timestamp() + idle)
  FROM seen WHERE t.id = seen.token_id
$$;
REVOKE ALL ON FUNCTION keep_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keep_session TO plek_app;

CREATE OR REPLACE FUNCTION sessions_of(of_account uuid) RETURNS TABLE (
  id uuid, created_at timestamptz, seen_at timestamptz, expires_at timestamptz,
  ends_at timestamptz, device text
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT s.token_id, s.created_at, s.seen_at, t.expires_at, s.ends_at, s.device
  FROM public.sessions AS s JOIN public.tokens AS t ON t.id = s.token_id
  WHERE s.account_id = of_account
    AND (s.account_id = public.my_account() OR public.i_am('administrator'))
    AND public.token_valid(t.revoked_at, t.expires_at, clock_timestamp())
  ORDER BY s.seen_at DESC, s.token_id
$$;
REVOKE ALL ON FUNCTION sessions_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sessions_of TO plek_app;

CREATE OR REPLACE FUNCTION end_sessions(of_account uuid, only_this uuid) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  ended integer;
BEGIN
  UPDATE public.tokens AS t SET revoked_at = clock_timestamp() FROM public.sessions AS s
  WHERE s.token_id = t.id AND s.account_id = of_account
    AND (only_this IS NULL OR s.token_id = only_this)
    AND public.sees_account(s.account_id)
    AND public.token_valid(t.revoked_at, t.expires_at, clock_timestamp());
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;
REVOKE ALL ON FUNCTION end_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION end_sessions TO plek_app;

CREATE OR REPLACE FUNCTION prune_sessions(kept interval) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  gone integer;
BEGIN
  DELETE FROM public.tokens AS t USING public.sessions AS s
  WHERE public.acting() = 'worker' AND s.token_id = t.id
    AND least(t.expires_at, coalesce(t.revoked_at, 'infinity')) < clock_timestamp() - kept;
  GET DIAGNOSTICS gone = ROW_COUNT;
  RETURN gone;
END $$;
REVOKE ALL ON FUNCTION prune_sessions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION prune_sessions TO plek_app;

-- Note who made, invited or reset an account, or gave it its role: whether two accounts are two
-- persons is judged by it. Without an account it was the operator.
CREATE OR REPLACE FUNCTION note_account_act() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE whose uuid;
BEGIN
  IF TG_TABLE_NAME = 'accounts' THEN whose := NEW.id; ELSE whose := NEW.account_id; END IF;
  INSERT INTO public.account_acts (account_id, act, by_account, by_coordinator_of)
  VALUES (whose, TG_ARGV[0], public.my_account(),
          CASE WHEN public.i_am('coordinator') THEN public.my_provider() END);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_account_act FROM PUBLIC;

-- account_acts:
-- Written by triggers alone; proposals.sql asks them.
CREATE OR REPLACE TRIGGER only_grows BEFORE UPDATE OR DELETE ON account_acts
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE account_acts ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_acts FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON account_acts TO CURRENT_USER USING (true);

-- accounts
CREATE OR REPLACE TRIGGER note_made AFTER INSERT ON accounts
  FOR EACH ROW EXECUTE FUNCTION note_account_act('made');
CREATE OR REPLACE TRIGGER note_role AFTER UPDATE OF roles, provider_id ON accounts
  FOR EACH ROW WHEN (NEW.roles <> OLD.roles OR NEW.provider_id IS DISTINCT FROM OLD.provider_id)
  EXECUTE FUNCTION note_account_act('role');
GRANT SELECT, INSERT, UPDATE (name) ON accounts TO plek_app;
ALTER TABLE accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON accounts TO CURRENT_USER USING (true);
CREATE POLICY "select" ON accounts FOR SELECT
  USING (sees_account(id) OR manages(provider_id, roles));
CREATE POLICY "insert" ON accounts FOR INSERT WITH CHECK (manages(provider_id, roles));
CREATE POLICY "update" ON accounts FOR UPDATE
  USING (manages(provider_id, roles) AND id <> (SELECT my_account()));

-- tokens
ALTER TABLE tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON tokens TO CURRENT_USER USING (true);

-- credentials
CREATE OR REPLACE TRIGGER note_reset AFTER UPDATE OF password ON credentials
  FOR EACH ROW WHEN (NEW.password IS NULL AND OLD.password IS NOT NULL)
  EXECUTE FUNCTION note_account_act('reset');
GRANT SELECT, INSERT, UPDATE (password, second_factor, used_step, enrolled_at)
  ON credentials TO plek_app;
ALTER TABLE credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON credentials TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON credentials FOR SELECT
  USING (sees_account(account_id)
         OR ((SELECT i_am('coordinator')) AND keeps_account(account_id)));
CREATE POLICY "insert" ON credentials FOR INSERT
  WITH CHECK (password IS NULL AND keeps_account(account_id));
CREATE POLICY "update" ON credentials FOR UPDATE USING ((SELECT acting()) = 'signing');

-- recovery_codes
GRANT SELECT, INSERT, DELETE ON recovery_codes TO plek_app;
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON recovery_codes TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON recovery_codes FOR SELECT USING (sees_account(account_id));
CREATE POLICY "insert" ON recovery_codes FOR INSERT WITH CHECK ((SELECT acting()) = 'signing');
CREATE POLICY "delete" ON recovery_codes FOR DELETE USING ((SELECT acting()) = 'signing');

-- invitations
CREATE OR REPLACE TRIGGER note_invited AFTER INSERT ON invitations
  FOR EACH ROW EXECUTE FUNCTION note_account_act('invited');
GRANT SELECT, DELETE, UPDATE (used_at) ON invitations TO plek_app;
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON invitations TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON invitations FOR SELECT
  USING (
    (SELECT acting()) = 'signing' OR (SELECT i_am('administrator')) OR (SELECT acting()) = 'worker'
    OR ((SELECT i_am('coordinator')) AND keeps_account(account_id))
  );
CREATE POLICY "update" ON invitations FOR UPDATE USING ((SELECT acting()) = 'signing');
CREATE POLICY "delete" ON invitations FOR DELETE USING ((SELECT acting()) = 'worker');

-- sessions
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON sessions TO CURRENT_USER USING (true);
