-- Changes of accounts: whatever makes an account, gives it roles or another credential, or lets it
-- in again. What an administrator asks for at a provider takes effect after the policy's hours
-- unless an account there refuses it; the provider's own coordinators act at once
-- (docs/adr/0036-an-administrators-act-waits.md). The application has no other way to do any of it.

-- Whether people of a provider ever had a way in. It is remembered for good: an administrator who
-- disables or moves everybody there gets no provider without an account by that.
CREATE OR REPLACE FUNCTION was_staffed(of_provider uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT EXISTS (SELECT FROM public.account_acts AS a
                 WHERE a.act = 'entered' AND a.provider_id = of_provider)
$$;
REVOKE ALL ON FUNCTION was_staffed FROM PUBLIC;

-- From when on an act of the caller counts that opens a provider to an account. Nothing else decides
-- about it.
CREATE OR REPLACE FUNCTION takes_effect_at(
  of_provider uuid, asked_at timestamptz, as_actor text
) RETURNS timestamptz
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  IF of_provider IS NULL OR as_actor = 'operator' OR NOT public.was_staffed(of_provider)
     OR (public.i_am('coordinator') AND of_provider = public.my_provider()) THEN
    RETURN asked_at;
  END IF;
  RETURN asked_at + make_interval(hours => public.policy_number('account_change_hours'));
END $$;
REVOKE ALL ON FUNCTION takes_effect_at FROM PUBLIC;

-- Note in which provider an account first had a way in, when it gets one.
CREATE OR REPLACE FUNCTION note_entered() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM public.mark_entered(NEW.account_id);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_entered FROM PUBLIC;

CREATE OR REPLACE FUNCTION mark_entered(of_account uuid) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  INSERT INTO public.account_acts (account_id, act, provider_id)
  SELECT a.id, 'entered', a.provider_id FROM public.accounts AS a
  WHERE a.id = of_account AND a.provider_id IS NOT NULL
    AND a.roles && ARRAY['intake_worker', 'coordinator']
    AND EXISTS (SELECT FROM public.tokens AS t WHERE t.account_id = a.id)
    AND NOT EXISTS (SELECT FROM public.account_acts AS b
                    WHERE b.act = 'entered' AND b.provider_id = a.provider_id
                      AND b.account_id = a.id)
$$;
REVOKE ALL ON FUNCTION mark_entered FROM PUBLIC;

-- Write in the access log that an administrator's act has opened a provider to an account, in the
-- list of everyone whose open referral it opens, and tell the provider.
CREATE OR REPLACE FUNCTION note_opened(of_change uuid) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  change public.account_changes;
  entry bigint;
BEGIN
  SELECT c.* INTO change FROM public.account_changes AS c WHERE c.id = of_change;
  INSERT INTO public.access_log
    (action, outcome, account_id, roles, purpose, object_type, object_id, referral_ids, told_id)
  SELECT 'open_desk', 'granted', change.by_account, ARRAY['administrator'], change.act, 'account',
         change.account_id,
         coalesce((SELECT array_agg(r.id ORDER BY r.id) FROM public.referrals AS r
                   WHERE r.provider_id = a.provider_id AND NOT public.referral_over(r.status)
                     AND (NOT EXISTS (SELECT FROM public.shields AS s WHERE s.referral_id = r.id)
                          OR EXISTS (SELECT FROM public.shields AS s
                                     WHERE s.referral_id = r.id AND s.account_id = a.id
                                       AND (s.until IS NULL OR s.until > clock_timestamp())))),
                  '{}'),
         a.provider_id
  FROM public.accounts AS a
  WHERE a.id = change.account_id AND a.roles && ARRAY['intake_worker', 'coordinator']
  RETURNING id INTO entry;
  INSERT INTO public.outbox (kind, subject, audience)
  SELECT 'access', entry::text, ARRAY[change.provider_id] WHERE entry IS NOT NULL;
END $$;
REVOKE ALL ON FUNCTION note_opened FROM PUBLIC;

-- Let a change take effect, if its moment has come and nobody was quicker to refuse it. Who asked
-- for it has done it. A part of the functions below, which act as the operator and have locked the
-- account.
CREATE OR REPLACE FUNCTION let_take_effect(of_change uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  me text := current_setting('plek.account', true);
  change public.account_changes;
BEGIN
  UPDATE public.account_changes SET outcome = 'effective', decided_at = clock_timestamp()
  WHERE id = of_change AND outcome IS NULL AND effective_at <= clock_timestamp()
  RETURNING * INTO change;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  PERFORM set_config('plek.account', coalesce(change.by_account::text, ''), true);
  UPDATE public.invitations SET opened_at = clock_timestamp() WHERE change_id = of_change;
  IF change.act = 'reset' THEN
    UPDATE public.credentials SET password = NULL, second_factor = NULL, enrolled_at = NULL
    WHERE account_id = change.account_id;
    DELETE FROM public.recovery_codes WHERE account_id = change.account_id;
    UPDATE public.vouchings AS v SET code_until = clock_timestamp()
    WHERE v.account_id = change.account_id AND v.used_at IS NULL AND v.code_until > clock_timestamp();
    UPDATE public.tokens AS t SET revoked_at = coalesce(t.revoked_at, clock_timestamp())
    FROM public.sessions AS s
    WHERE s.token_id = t.id AND s.account_id = change.account_id;
  ELSIF change.act = 'change' THEN
    UPDATE public.accounts
    SET roles = change.roles, provider_id = change.to_provider, region = change.region
    WHERE id = change.account_id;
  ELSIF change.act = 'enable' THEN
    UPDATE public.accounts SET disabled_at = NULL WHERE id = change.account_id;
  END IF;
  PERFORM public.mark_entered(change.account_id);
  IF change.provider_id IS NOT NULL AND change.by_account IS NOT NULL
     AND change.effective_at > change.asked_at THEN
    PERFORM public.note_opened(of_change);
  END IF;
  PERFORM set_config('plek.account', coalesce(me, ''), true);
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION let_take_effect FROM PUBLIC;

-- Ask for a change of an account, as the caller; say from when it counts, or nothing where the
-- caller manages no such account. What only takes away counts at once. An invitation opens when its
-- change has taken effect, and stays open as long after that as it would have.
CREATE OR REPLACE FUNCTION ask_account_change(
  new_id uuid, of_account uuid, what text, to_roles text[], to_provider uuid, to_region text,
  invitation bytea, valid interval
) RETURNS TABLE (effective_at timestamptz, waits boolean, told_id uuid)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  me uuid := public.my_account();
  account public.accounts;
  opens uuid;
  asked timestamptz;
  subject text;
BEGIN
  SELECT a.* INTO account FROM public.accounts AS a WHERE a.id = of_account FOR UPDATE;
  IF account.id IS NULL OR NOT (before = 'operator' OR (
       before = 'account' AND account.id <> me
       AND public.manages(account.provider_id, account.roles)
       AND (what <> 'change' OR public.manages(to_provider, to_roles)))) THEN
    RETURN;
  END IF;
  opens := CASE
    WHEN what <> 'change' THEN account.provider_id
    WHEN NOT to_roles <@ account.roles OR to_provider IS DISTINCT FROM account.provider_id
    THEN to_provider
  END;
  asked := clock_timestamp();
  effective_at := public.takes_effect_at(opens, asked, before);
  waits := effective_at > asked;
  told_id := coalesce(opens, account.provider_id);
  PERFORM set_config('plek.actor', 'operator', true);
  UPDATE public.account_changes AS c SET outcome = 'replaced', decided_at = asked
  WHERE c.account_id = of_account AND c.act = what AND c.outcome IS NULL;
  INSERT INTO public.account_changes
    (id, account_id, provider_id, act, by_account, roles, to_provider, region, asked_at,
     effective_at)
  VALUES (new_id, of_account, opens, what, me, CASE WHEN what = 'change' THEN to_roles END,
          to_provider, to_region, asked, effective_at);
  IF invitation IS NOT NULL THEN
    UPDATE public.invitations SET used_at = asked WHERE account_id = of_account AND used_at IS NULL;
    INSERT INTO public.invitations (hash, account_id, change_id, expires_at)
    VALUES (invitation, of_account, new_id, effective_at + valid);
  END IF;
  IF before <> 'operator' THEN
    subject := CASE WHEN waits THEN 'account_asked' ELSE 'account_changed' END;
    PERFORM public.mail_concerned(of_account, told_id, subject, effective_at);
    -- Who loses an account to another provider hears of it as well.
    IF account.provider_id <> told_id THEN
      PERFORM public.mail_provider(account.provider_id, subject, effective_at);
    END IF;
  END IF;
  IF NOT waits THEN
    PERFORM public.let_take_effect(new_id);
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION ask_account_change FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ask_account_change TO plek_app;

-- Refuse a change at the caller's provider that has not taken effect: `refused`, `missing`, or
-- `decided` where something was quicker. The account is locked first, as by whoever changes it.
CREATE OR REPLACE FUNCTION refuse_account_change(of_change uuid) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  change public.account_changes;
BEGIN
  SELECT c.* INTO change FROM public.account_changes AS c
  WHERE c.id = of_change AND c.provider_id = public.my_provider() AND public.i_am_staff()
    AND c.effective_at > c.asked_at;
  IF NOT FOUND THEN
    RETURN 'missing';
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  PERFORM FROM public.accounts AS a WHERE a.id = change.account_id FOR UPDATE;
  UPDATE public.account_changes
  SET outcome = 'refused', refused_by = public.my_account(), decided_at = clock_timestamp()
  WHERE id = of_change AND outcome IS NULL
  RETURNING * INTO change;
  IF FOUND THEN
    UPDATE public.invitations SET used_at = clock_timestamp()
    WHERE change_id = of_change AND used_at IS NULL;
    -- An account that nobody has is of no use to anyone.
    UPDATE public.accounts SET disabled_at = coalesce(disabled_at, clock_timestamp())
    WHERE id = change.account_id AND change.act = 'invite';
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN CASE WHEN change.outcome = 'refused' AND change.refused_by = public.my_account()
              THEN 'refused' ELSE 'decided' END;
END $$;
REVOKE ALL ON FUNCTION refuse_account_change FROM PUBLIC;
GRANT EXECUTE ON FUNCTION refuse_account_change TO plek_app;

-- Let changes take effect whose moment has come; say how many did.
CREATE OR REPLACE FUNCTION let_due_take_effect(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  due record;
  done integer := 0;
BEGIN
  IF before <> 'worker' THEN
    RAISE insufficient_privilege;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  FOR due IN SELECT c.id, c.account_id FROM public.account_changes AS c
             WHERE c.outcome IS NULL AND c.effective_at <= clock_timestamp()
             ORDER BY c.account_id, c.effective_at, c.id LIMIT most
  LOOP
    PERFORM FROM public.accounts AS a WHERE a.id = due.account_id FOR UPDATE;
    IF public.let_take_effect(due.id) THEN
      done := done + 1;
    END IF;
  END LOOP;
  PERFORM set_config('plek.actor', before, true);
  RETURN done;
END $$;
REVOKE ALL ON FUNCTION let_due_take_effect FROM PUBLIC;
GRANT EXECUTE ON FUNCTION let_due_take_effect TO plek_app;

-- Disable an account at once, with its sessions; what was asked for it and waits never comes.
-- Whether there is such an account that the caller manages.
CREATE OR REPLACE FUNCTION disable_account(of_account uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
  before text := public.acting();
  account public.accounts;
BEGIN
  SELECT a.* INTO account FROM public.accounts AS a WHERE a.id = of_account FOR UPDATE;
  IF account.id IS NULL OR NOT (before = 'operator' OR (
       before = 'account' AND account.id <> public.my_account()
       AND public.manages(account.provider_id, account.roles))) THEN
    RETURN false;
  END IF;
  PERFORM set_config('plek.actor', 'operator', true);
  UPDATE public.accounts SET disabled_at = coalesce(disabled_at, clock_timestamp())
  WHERE id = of_account;
  UPDATE public.account_changes SET outcome = 'replaced', decided_at = clock_timestamp()
  WHERE account_id = of_account AND outcome IS NULL;
  UPDATE public.vouchings AS v SET code_until = clock_timestamp()
  WHERE v.account_id = of_account AND v.used_at IS NULL AND v.code_until > clock_timestamp();
  UPDATE public.tokens AS t SET revoked_at = coalesce(t.revoked_at, clock_timestamp())
    FROM public.sessions AS s
  WHERE s.token_id = t.id AND s.account_id = of_account;
  IF before <> 'operator' THEN
    PERFORM public.mail_concerned(of_account, account.provider_id, 'account_changed',
                                  clock_timestamp());
  END IF;
  PERFORM set_config('plek.actor', before, true);
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION disable_account FROM PUBLIC;
GRANT EXECUTE ON FUNCTION disable_account TO plek_app;

-- The changes at the caller's provider, for everyone there, and for administrators all: what each
-- account is called by colleagues, and what it may do. Never the name to sign in with.
CREATE OR REPLACE FUNCTION account_changes_seen(
  of_account uuid, of_change uuid, before_at timestamptz, before_id uuid, most integer
) RETURNS TABLE (
  id uuid, account_id uuid, name text, provider_id uuid, act text, asked_at timestamptz,
  effective_at timestamptz, roles text[], by_account uuid, by_administrator boolean, outcome text,
  refused_by uuid, decided_at timestamptz
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
  SELECT c.id, c.account_id, a.name, c.provider_id, c.act, c.asked_at, c.effective_at,
         coalesce(c.roles, a.roles), c.by_account, c.effective_at > c.asked_at,
         c.outcome, c.refused_by, c.decided_at
  FROM public.account_changes AS c JOIN public.accounts AS a ON a.id = c.account_id
  WHERE c.provider_id IS NOT NULL
    AND ((c.provider_id = public.my_provider() AND public.i_am_staff())
         OR public.i_am('administrator'))
    AND (of_account IS NULL OR c.account_id = of_account)
    AND (of_change IS NULL OR c.id = of_change)
    AND (before_at IS NULL OR (c.asked_at, c.id) < (before_at, before_id))
  ORDER BY c.asked_at DESC, c.id DESC LIMIT most
$$;
REVOKE ALL ON FUNCTION account_changes_seen FROM PUBLIC;
GRANT EXECUTE ON FUNCTION account_changes_seen TO plek_app;

-- tokens
CREATE OR REPLACE TRIGGER note_entered AFTER INSERT ON tokens
  FOR EACH ROW EXECUTE FUNCTION note_entered();

-- account_changes:
-- Written and read by the functions above alone.
ALTER TABLE account_changes ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_changes FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON account_changes TO CURRENT_USER USING (true);
