-- The caller of a transaction, and whether a row concerns that caller.
--
-- A connection keeps a plan for as long as it lives, also one that was made while a table was so
-- small that to read it from end to end was quickest. What desks ask are look-ups by key, and so is
-- what is asked for every row: they are planned without that choice (`enable_seqscan = off`), in
-- `enter` for a provider's accounts and the relay, and in the functions. Oversight and the worker do
-- read tables.
--
-- The rules of a table for the same rows are asked in the order of their names, from the last on,
-- until one lets the row pass. The one of the owner is called `within`: what has checked who asks
-- and then acts as the operator is not asked again by the dearer ones.

-- The actor of this transaction: account, worker, relay, exchange, signing, operator, or nobody.
CREATE OR REPLACE FUNCTION acting() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(current_setting('plek.actor', true), '');

CREATE OR REPLACE FUNCTION my_account() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('plek.account', true), '')::uuid;

CREATE OR REPLACE FUNCTION my_provider() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('plek.provider', true), '')::uuid;

CREATE OR REPLACE FUNCTION my_region() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('plek.region', true), '');

CREATE OR REPLACE FUNCTION i_am(role text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN role = ANY (string_to_array(current_setting('plek.roles', true), ' '));

-- Finds places for households.
CREATE OR REPLACE FUNCTION i_find_places() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN i_am('intake_worker');

-- A person who works for a provider.
CREATE OR REPLACE FUNCTION i_am_staff() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN i_find_places() OR i_am('coordinator');

-- Sets up or runs what a provider's own systems are told.
CREATE OR REPLACE FUNCTION i_connect_systems() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN i_am('coordinator') OR i_am('client_system');

-- Watches over the figures of a region, or of the country.
CREATE OR REPLACE FUNCTION i_oversee() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
RETURN i_am('auditor') OR i_am('administrator');

-- The first statement of every transaction: it takes on the identity behind a token until the end.
-- `as_actor` is what the process is without a token. Only this function reads tokens by their hash.
-- The clock is read here once, so that an act can reckon with it.
CREATE OR REPLACE FUNCTION enter(
  token_hash bytea, as_actor text, admits_demo boolean
) RETURNS TABLE (
  account_id uuid, token_id uuid, roles text[], provider_id uuid, region text, at timestamptz,
  register_version bigint, reference_version bigint
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM set_config('enable_seqscan', 'off', true);
  -- Whom a colleague vouched for has one role of theirs.
  SELECT a.id, t.id, CASE WHEN t.only_role IS NULL THEN a.roles ELSE ARRAY[t.only_role] END,
         a.provider_id, a.region
  INTO account_id, token_id, roles, provider_id, region
  FROM public.tokens AS t JOIN public.accounts AS a ON a.id = t.account_id
  WHERE t.hash = token_hash AND (t.only_role IS NULL OR t.only_role = ANY (a.roles))
    AND public.token_valid(t.revoked_at, t.expires_at, clock_timestamp())
    AND public.account_admitted(a.disabled_at, a.demo, admits_demo);
  PERFORM
    set_config('plek.actor', CASE WHEN account_id IS NULL THEN as_actor ELSE 'account' END, true),
    set_config('plek.account', coalesce(account_id::text, ''), true),
    set_config('plek.provider', coalesce(provider_id::text, ''), true),
    set_config('plek.region', coalesce(enter.region, ''), true),
    set_config('plek.roles', coalesce(array_to_string(enter.roles, ' '), ''), true),
    set_config('lock_timeout', '5s', true);
  SELECT max(value) FILTER (WHERE name = 'register'), max(value) FILTER (WHERE name = 'reference')
  INTO register_version, reference_version
  FROM public.heads WHERE name IN ('register', 'reference');
  IF provider_id IS NULL AND as_actor <> 'relay' THEN
    PERFORM set_config('enable_seqscan', 'on', true);
  END IF;
  at := clock_timestamp();
  RETURN NEXT;
END $$;
REVOKE ALL ON FUNCTION enter FROM PUBLIC;
GRANT EXECUTE ON FUNCTION enter TO plek_app;

-- Whether a referral has no named colleagues, or the caller is one of them. This and what follows
-- runs with the rights of the caller, and judges by the beginning of the transaction: a row may be
-- changed under the same rule, and a clock that ran on between its old and its new version would
-- refuse halfway. Who was late is decided by the claim, by the clock.
CREATE OR REPLACE FUNCTION unshielded(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (SELECT coalesce(bool_or(s.account_id = public.my_account()
                                  AND (s.until IS NULL OR s.until > now())), true)
          FROM public.shields AS s WHERE s.referral_id = of_referral);
END $$;
REVOKE ALL ON FUNCTION unshielded FROM PUBLIC;
GRANT EXECUTE ON FUNCTION unshielded TO plek_app;

-- Whether a row is about a referral of the caller's own desk that is not shielded from the caller.
CREATE OR REPLACE FUNCTION our_case(of_provider uuid, of_referral uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN my_provider() IS NOT NULL AND of_provider = my_provider() AND unshielded(of_referral);

-- Whether another provider's household was entrusted to the caller's provider.
CREATE OR REPLACE FUNCTION entrusted_to_us(by_provider uuid, to_provider uuid) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE
RETURN to_provider = my_provider() AND by_provider <> my_provider();

-- Whether a hold or a placement of a referral with the caller's provider has not come to its end.
CREATE OR REPLACE FUNCTION coming_here(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.holds AS h
                 WHERE h.referral_id = of_referral
                   AND h.receiver_id = public.my_provider()
                   AND public.hold_live(h.resolved_at, h.expires_at, now()))
    OR EXISTS (SELECT FROM public.placements AS p
               WHERE p.referral_id = of_referral
                 AND p.receiver_id = public.my_provider()
                 AND public.placement_coming(p.status, p.safety_checked_at));
END $$;
REVOKE ALL ON FUNCTION coming_here FROM PUBLIC;
GRANT EXECUTE ON FUNCTION coming_here TO plek_app;

-- Whether the caller's provider is asked to take a referral in, in a live swap.
CREATE OR REPLACE FUNCTION swapping_here(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.swap_legs AS l JOIN public.swaps AS w ON w.id = l.swap_id
                 WHERE l.referral_id = of_referral
                   AND l.live
                   AND l.receiving_id = public.my_provider()
                   AND NOT public.swap_lapsed(w.status, w.expires_at, now()));
END $$;
REVOKE ALL ON FUNCTION swapping_here FROM PUBLIC;
GRANT EXECUTE ON FUNCTION swapping_here TO plek_app;

-- Whether a referral is part of a swap.
CREATE OR REPLACE FUNCTION in_live_swap(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.swap_legs AS l WHERE l.referral_id = of_referral AND l.live);
END $$;
REVOKE ALL ON FUNCTION in_live_swap FROM PUBLIC;
GRANT EXECUTE ON FUNCTION in_live_swap TO plek_app;

-- Whether the caller's provider received a placement.
CREATE OR REPLACE FUNCTION received_here(of_placement uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.placements AS p
                 WHERE p.id = of_placement AND p.receiver_id = public.my_provider());
END $$;
REVOKE ALL ON FUNCTION received_here FROM PUBLIC;
GRANT EXECUTE ON FUNCTION received_here TO plek_app;

-- Whether a site is the caller's provider's own.
CREATE OR REPLACE FUNCTION our_site(of_site uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.sites AS s
                 WHERE s.id = of_site AND s.provider_id = public.my_provider());
END $$;
REVOKE ALL ON FUNCTION our_site FROM PUBLIC;
GRANT EXECUTE ON FUNCTION our_site TO plek_app;

-- Whether a place is the caller's provider's own.
CREATE OR REPLACE FUNCTION our_place(of_place uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.places AS p
                 WHERE p.id = of_place AND p.provider_id = public.my_provider());
END $$;
REVOKE ALL ON FUNCTION our_place FROM PUBLIC;
GRANT EXECUTE ON FUNCTION our_place TO plek_app;

-- Whether a referral began in the auditor's region, or was placed there.
CREATE OR REPLACE FUNCTION of_my_region(of_referral uuid, of_origin text) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (EXISTS (SELECT FROM public.municipalities AS m
                  WHERE m.code = of_origin AND m.region = public.my_region())
          OR EXISTS (SELECT FROM public.placements AS p
                     WHERE p.referral_id = of_referral AND p.receiving = public.my_region()));
END $$;
REVOKE ALL ON FUNCTION of_my_region FROM PUBLIC;
GRANT EXECUTE ON FUNCTION of_my_region TO plek_app;

-- Whether what makes a place not free concerns the caller's provider, or the place is its own.
CREATE OR REPLACE FUNCTION claim_concerns_us(of_hold uuid, of_placement uuid, of_place uuid)
RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN (EXISTS (SELECT FROM public.holds AS h
                  WHERE h.id = of_hold
                    AND public.my_provider() IN (h.provider_id, h.receiver_id))
          OR EXISTS (SELECT FROM public.placements AS p
                     WHERE p.id = of_placement
                       AND public.my_provider() IN (p.provider_id, p.receiver_id))
          OR public.our_place(of_place));
END $$;
REVOKE ALL ON FUNCTION claim_concerns_us FROM PUBLIC;
GRANT EXECUTE ON FUNCTION claim_concerns_us TO plek_app;

-- Whether a hold became a placement that the caller may see.
CREATE OR REPLACE FUNCTION placed_from(of_hold uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.placements AS p WHERE p.hold_id = of_hold);
END $$;
REVOKE ALL ON FUNCTION placed_from FROM PUBLIC;
GRANT EXECUTE ON FUNCTION placed_from TO plek_app;

-- Whether a household is with the caller's provider, or on its way there, by this ranking.
CREATE OR REPLACE FUNCTION came_here_by(of_ranking uuid, of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.placements AS p JOIN public.holds AS h ON h.id = p.hold_id
                 WHERE p.referral_id = of_referral
                   AND h.ranking_id = of_ranking
                   AND p.receiver_id = public.my_provider()
                   AND public.placement_live(p.status));
END $$;
REVOKE ALL ON FUNCTION came_here_by FROM PUBLIC;
GRANT EXECUTE ON FUNCTION came_here_by TO plek_app;

-- Whether the caller may see a referral.
CREATE OR REPLACE FUNCTION sees_referral(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.referrals AS r WHERE r.id = of_referral);
END $$;
REVOKE ALL ON FUNCTION sees_referral FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sees_referral TO plek_app;

-- The trigger of tables that only grow.
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '% only ever grows', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
