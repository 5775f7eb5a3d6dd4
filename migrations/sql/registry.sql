-- The register: providers, their sites and places, and what came free.

-- Note the free places of a site that admits again, or is safe again, for those who wait. It runs
-- as the owner: the caller needs no right to say so, and can say nothing else.
CREATE OR REPLACE FUNCTION note_reopening() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  INSERT INTO public.vacancies (id, provider_id, site_id, group_id)
  SELECT gen_random_uuid(), NEW.provider_id, NEW.id, g.id FROM public.place_groups AS g
  WHERE g.site_id = NEW.id
    AND EXISTS (SELECT FROM public.claims AS c
                WHERE c.group_id = g.id AND c.claimed_until <= clock_timestamp());
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_reopening FROM PUBLIC;

-- Note that a place came free, for those who wait.
CREATE OR REPLACE FUNCTION note_vacancy() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp SET enable_seqscan = off AS $$
DECLARE leaving uuid;
BEGIN
  IF TG_OP = 'UPDATE' THEN
    leaving := coalesce(
      (SELECT h.referral_id FROM public.holds AS h WHERE h.id = OLD.hold_id),
      (SELECT p.referral_id FROM public.placements AS p WHERE p.id = OLD.placement_id));
  END IF;
  INSERT INTO public.vacancies (id, provider_id, site_id, group_id, place_id, left_by)
  SELECT gen_random_uuid(), p.provider_id, p.site_id, NEW.group_id, p.id, leaving
  FROM public.places AS p WHERE p.id = NEW.place_id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION note_vacancy FROM PUBLIC;

-- Whether the caller worked on a referral, or took it over: the access log says so. With the rights
-- of the caller, who sees the own entries.
CREATE OR REPLACE FUNCTION worked_on(of_referral uuid) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.access_log_referrals AS n
                 JOIN public.access_log AS l ON l.id = n.entry_id
                 WHERE n.referral_id = of_referral
                   AND l.account_id = public.my_account()
                   AND l.outcome = 'granted'
                   AND l.action IN ('register', 'rank', 'hold', 'confirm', 'note', 'take_over'));
END $$;
REVOKE ALL ON FUNCTION worked_on FROM PUBLIC;
GRANT EXECUTE ON FUNCTION worked_on TO plek_app;

-- Whether a household is on its way, or arrived not longer ago than the policy's hours.
CREATE OR REPLACE FUNCTION on_the_way(status text, arrived_at timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN status = 'underway'
    OR (status = 'arrived'
        AND arrived_at > now() - make_interval(hours => public.policy_number('address_hours')));
END $$;
REVOKE ALL ON FUNCTION on_the_way FROM PUBLIC;
GRANT EXECUTE ON FUNCTION on_the_way TO plek_app;

-- A place at a site that nobody has approved is not free, whoever frees it: nothing can take it. The
-- site is looked at again once it is locked: it may just have been approved.
CREATE OR REPLACE FUNCTION keep_proposed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  PERFORM FROM public.places AS p JOIN public.sites AS s ON s.id = p.site_id
  WHERE p.id = NEW.place_id AND s.status <> 'approved' FOR KEY SHARE OF s;
  IF FOUND THEN
    NEW.kind := 'proposed';
    NEW.claimed_until := 'infinity';
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION keep_proposed FROM PUBLIC;

-- Whether the address of a site is being changed: until that is decided no sender is told one.
CREATE OR REPLACE FUNCTION address_changing(of_site uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
  RETURN EXISTS (SELECT FROM public.site_proposals AS p
                 WHERE p.site_id = of_site AND p.outcome IS NULL
                   AND (p.municipality IS NOT NULL OR p.moved_to IS NOT NULL));
END $$;
REVOKE ALL ON FUNCTION address_changing FROM PUBLIC;
GRANT EXECUTE ON FUNCTION address_changing TO plek_app;

-- providers
GRANT SELECT, INSERT, UPDATE, DELETE ON providers TO plek_app;
ALTER TABLE providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE providers FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON providers TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON providers FOR SELECT USING (true);

-- provider_regions:
-- Where a provider works, an administrator says: a site adds none.
GRANT SELECT, INSERT, UPDATE, DELETE ON provider_regions TO plek_app;
ALTER TABLE provider_regions ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_regions FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON provider_regions TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON provider_regions FOR SELECT USING (true);
CREATE POLICY "insert" ON provider_regions FOR INSERT WITH CHECK ((SELECT i_am('administrator')));
CREATE POLICY "delete" ON provider_regions FOR DELETE USING ((SELECT i_am('administrator')));

-- sites:
-- Every provider may read approved sites and their places, without name, address or label; only the
-- owner writes them, and nobody alone where a site is, who knows that, and whether it stands
-- (proposals.sql).
GRANT SELECT, INSERT, DELETE, UPDATE (supervision, features, specialisms, exclusive_to, admission,
  automatic_acceptance, confirmed_at, compromised_because, compromised_since, revision)
  ON sites TO plek_app;
CREATE OR REPLACE TRIGGER note_reopening
  AFTER UPDATE OF admission, compromised_since ON sites
  FOR EACH ROW
  WHEN (NEW.admission = 'open' AND NEW.compromised_since IS NULL
        AND (OLD.admission = 'paused' OR OLD.compromised_since IS NOT NULL))
  EXECUTE FUNCTION note_reopening();
ALTER TABLE sites ENABLE ROW LEVEL SECURITY;
ALTER TABLE sites FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON sites TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON sites FOR SELECT
  USING (((SELECT my_provider()) IS NOT NULL
          AND (status = 'approved' OR provider_id = (SELECT my_provider())))
         OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON sites FOR INSERT
  WITH CHECK (
    provider_id = (SELECT my_provider()) AND (SELECT i_am('coordinator'))
    AND status = 'proposed' AND approved_at IS NULL
  );
CREATE POLICY "update" ON sites FOR UPDATE USING (provider_id = (SELECT my_provider()));

-- site_secrets:
-- Name and address, sealed: for the owner, and while a household is on its way there, after a person
-- accepted, for those of the sending desk who worked on its referral, unless the address is being
-- changed.
GRANT SELECT, INSERT, UPDATE (renamed, name_hash), DELETE ON site_secrets TO plek_app;
ALTER TABLE site_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE site_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON site_secrets TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON site_secrets FOR SELECT
  USING (
    provider_id = (SELECT my_provider())
    OR EXISTS (SELECT FROM placements AS p JOIN holds AS h ON h.id = p.hold_id
               WHERE p.site_id = site_secrets.site_id
                 AND p.provider_id = (SELECT my_provider())
                 AND h.accepted_by = 'person'
                 AND on_the_way(p.status, p.arrived_at)
                 AND worked_on(p.referral_id)
                 AND NOT address_changing(p.site_id))
  );
CREATE POLICY "insert" ON site_secrets FOR INSERT WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON site_secrets FOR UPDATE USING (provider_id = (SELECT my_provider()));

-- place_groups
GRANT SELECT, INSERT, UPDATE, DELETE ON place_groups TO plek_app;
ALTER TABLE place_groups ENABLE ROW LEVEL SECURITY;
ALTER TABLE place_groups FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON place_groups TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON place_groups FOR SELECT
  USING ((SELECT my_provider()) IS NOT NULL OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON place_groups FOR INSERT WITH CHECK (our_site(site_id));
CREATE POLICY "update" ON place_groups FOR UPDATE USING (our_site(site_id));

-- places
GRANT SELECT, INSERT, UPDATE, DELETE ON places TO plek_app;
ALTER TABLE places ENABLE ROW LEVEL SECURITY;
ALTER TABLE places FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON places TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON places FOR SELECT
  USING ((SELECT my_provider()) IS NOT NULL OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON places FOR INSERT WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON places FOR UPDATE USING (provider_id = (SELECT my_provider()));

-- place_secrets
GRANT SELECT, INSERT, UPDATE, DELETE ON place_secrets TO plek_app;
ALTER TABLE place_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE place_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON place_secrets TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON place_secrets FOR SELECT USING (provider_id = (SELECT my_provider()));
CREATE POLICY "insert" ON place_secrets FOR INSERT
  WITH CHECK (provider_id = (SELECT my_provider()));
CREATE POLICY "update" ON place_secrets FOR UPDATE USING (provider_id = (SELECT my_provider()));

-- availability_steps
GRANT SELECT, INSERT, UPDATE, DELETE ON availability_steps TO plek_app;
ALTER TABLE availability_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE availability_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON availability_steps TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON availability_steps FOR SELECT USING ((SELECT acting()) <> '');
CREATE POLICY "insert" ON availability_steps FOR INSERT WITH CHECK ((SELECT acting()) = 'worker');
CREATE POLICY "update" ON availability_steps FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON availability_steps FOR DELETE USING ((SELECT acting()) = 'worker');

-- vacancies
GRANT SELECT, UPDATE, DELETE ON vacancies TO plek_app;
ALTER TABLE vacancies ENABLE ROW LEVEL SECURITY;
ALTER TABLE vacancies FORCE ROW LEVEL SECURITY;
CREATE POLICY within ON vacancies TO CURRENT_USER USING ((SELECT acting()) = 'operator');
CREATE POLICY "select" ON vacancies FOR SELECT
  USING (provider_id = (SELECT my_provider()) OR (SELECT acting()) = 'worker');
CREATE POLICY "insert" ON vacancies FOR INSERT TO CURRENT_USER WITH CHECK (true);
CREATE POLICY "update" ON vacancies FOR UPDATE USING ((SELECT acting()) = 'worker');
CREATE POLICY "delete" ON vacancies FOR DELETE USING ((SELECT acting()) = 'worker');
