-- Who asks: the caller of a transaction, and whether a row concerns that caller.
--
-- Rules for rows ask these functions, so that the plan of a statement does not hold everything that they
-- look up (docs/adr/0026-short-rules.md). They run with the rights of the caller; what lives is judged by
-- the transaction's beginning, because a row may be changed by the same rules: a clock that ran on between
-- its old and its new version would refuse halfway. The claim decides by the clock who was late.

-- The actor of this transaction: account, worker, relay, exchange, signing, operator, or nobody.
CREATE OR REPLACE FUNCTION acting() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT coalesce(current_setting('plek.actor', true), '') $$;

CREATE OR REPLACE FUNCTION my_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('plek.account', true), '')::uuid $$;

CREATE OR REPLACE FUNCTION my_provider() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('plek.provider', true), '')::uuid $$;

CREATE OR REPLACE FUNCTION my_region() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT nullif(current_setting('plek.region', true), '') $$;

CREATE OR REPLACE FUNCTION i_am(role text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  AS $$ SELECT role = ANY (string_to_array(current_setting('plek.roles', true), ' ')) $$;

-- The first statement of every transaction: it takes on the identity behind a token until the end.
-- `as_actor` is what the process is without a token. Only this function reads tokens by their hash.
-- The clock is read here once, so that an act can reckon with it.
CREATE OR REPLACE FUNCTION enter(token_hash bytea, as_actor text, admits_demo boolean) RETURNS TABLE (
  account_id uuid, token_id uuid, roles text[], provider_id uuid, region text, at timestamptz,
  register_version bigint, reference_version bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  SELECT a.id, t.id, a.roles, a.provider_id, a.region INTO account_id, token_id, roles, provider_id, region
  FROM tokens t JOIN accounts a ON a.id = t.account_id
  WHERE t.hash = token_hash AND t.revoked_at IS NULL AND t.expires_at > clock_timestamp() AND a.disabled_at IS NULL
    AND (admits_demo OR NOT a.demo);
  PERFORM set_config('plek.actor', CASE WHEN account_id IS NULL THEN as_actor ELSE 'account' END, true),
          set_config('plek.account', coalesce(account_id::text, ''), true),
          set_config('plek.provider', coalesce(provider_id::text, ''), true),
          set_config('plek.region', coalesce(enter.region, ''), true),
          set_config('plek.roles', coalesce(array_to_string(enter.roles, ' '), ''), true),
          set_config('lock_timeout', '5s', true);
  SELECT max(value) FILTER (WHERE name = 'register'), max(value) FILTER (WHERE name = 'reference')
  INTO register_version, reference_version FROM heads WHERE name IN ('register', 'reference');
  at := clock_timestamp();
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter TO plek_app;

-- Whether a referral has no named colleagues, or the caller is one of them.
CREATE OR REPLACE FUNCTION unshielded(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (SELECT coalesce(bool_or(s.account_id = my_account()
                                  AND (s.until IS NULL OR s.until > now())), true)
          FROM shields AS s WHERE s.referral_id = of_referral);
END $$;
REVOKE ALL ON FUNCTION unshielded FROM PUBLIC;
GRANT EXECUTE ON FUNCTION unshielded TO plek_app;

-- Whether a hold or a placement of a referral lives with the caller's provider.
CREATE OR REPLACE FUNCTION coming_here(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN EXISTS (SELECT FROM holds AS h
                 WHERE h.referral_id = of_referral
                   AND h.receiver_id = my_provider()
                   AND h.resolved_at IS NULL
                   AND h.expires_at > now())
    -- Also one that was said not to have come, until it is known to be safe: it may come yet.
    OR EXISTS (SELECT FROM placements AS p
               WHERE p.referral_id = of_referral
                 AND p.receiver_id = my_provider()
                 AND (p.status IN ('underway', 'arrived')
                      OR (p.status = 'no_show' AND p.safety_checked_at IS NULL)));
END $$;
REVOKE ALL ON FUNCTION coming_here FROM PUBLIC;
GRANT EXECUTE ON FUNCTION coming_here TO plek_app;

-- Whether the caller's provider is asked to take a referral in, in a live swap.
CREATE OR REPLACE FUNCTION swapping_here(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN EXISTS (SELECT FROM swap_legs AS l JOIN swaps AS w ON w.id = l.swap_id
                 WHERE l.referral_id = of_referral
                   AND l.live
                   AND l.receiving_id = my_provider()
                   AND (w.status <> 'proposed' OR w.expires_at > now()));
END $$;
REVOKE ALL ON FUNCTION swapping_here FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swapping_here TO plek_app;

-- Whether a referral began in the auditor's region, or was placed there.
CREATE OR REPLACE FUNCTION of_my_region(of_referral uuid, of_origin text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (EXISTS (SELECT FROM municipalities AS m
                  WHERE m.code = of_origin AND m.region = my_region())
          OR EXISTS (SELECT FROM placements AS p
                     WHERE p.referral_id = of_referral AND p.receiving = my_region()));
END $$;
REVOKE ALL ON FUNCTION of_my_region FROM PUBLIC;
GRANT EXECUTE ON FUNCTION of_my_region TO plek_app;

-- Whether the cause that makes a place not free concerns the caller's provider, or the place is its own.
CREATE OR REPLACE FUNCTION claim_concerns_us(of_hold uuid, of_placement uuid, of_place uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path FROM CURRENT AS $$
BEGIN
  RETURN (EXISTS (SELECT FROM holds AS h
                  WHERE h.id = of_hold AND my_provider() IN (h.provider_id, h.receiver_id))
          OR EXISTS (SELECT FROM placements AS p
                     WHERE p.id = of_placement AND my_provider() IN (p.provider_id, p.receiver_id))
          OR EXISTS (SELECT FROM places AS p WHERE p.id = of_place AND p.provider_id = my_provider()));
END $$;
REVOKE ALL ON FUNCTION claim_concerns_us FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_concerns_us TO plek_app;

-- The trigger of tables that only grow.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
