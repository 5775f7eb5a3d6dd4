-- Every table with its first rows, as the first release has them.

CREATE TABLE regions (
    code text NOT NULL,
    name text NOT NULL,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    population integer NOT NULL,
    CONSTRAINT regions_pkey PRIMARY KEY (code),
    CONSTRAINT regions_population_check CHECK (population >= 0)
);

CREATE TABLE municipalities (
    code text NOT NULL,
    name text NOT NULL,
    province text NOT NULL,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    extent_km integer NOT NULL,
    population integer NOT NULL,
    region text NOT NULL,
    CONSTRAINT municipalities_pkey PRIMARY KEY (code),
    CONSTRAINT municipalities_extent_check CHECK (extent_km > 0),
    CONSTRAINT municipalities_population_check CHECK (population >= 0),
    CONSTRAINT municipalities_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);
CREATE INDEX municipalities_region_idx ON municipalities (region);

CREATE TABLE clearances (
    zone text NOT NULL,
    site text NOT NULL,
    km integer NOT NULL,
    centroid_km integer NOT NULL,
    CONSTRAINT clearances_pkey PRIMARY KEY (zone, site),
    CONSTRAINT clearances_site_fkey
        FOREIGN KEY (site) REFERENCES municipalities(code) ON DELETE CASCADE,
    CONSTRAINT clearances_zone_fkey
        FOREIGN KEY (zone) REFERENCES municipalities(code) ON DELETE CASCADE
);

CREATE TABLE weights (
    region text NOT NULL,
    valid_from date NOT NULL,
    weight integer NOT NULL,
    source text NOT NULL,
    CONSTRAINT weights_pkey PRIMARY KEY (region, valid_from),
    CONSTRAINT weights_weight_check CHECK (weight >= 0),
    CONSTRAINT weights_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);

CREATE TABLE policies (
    hash text NOT NULL,
    version text NOT NULL,
    valid_from timestamptz NOT NULL,
    document jsonb NOT NULL,
    CONSTRAINT policies_pkey PRIMARY KEY (hash),
    CONSTRAINT policies_valid_from_key UNIQUE (valid_from),
    CONSTRAINT policies_version_key UNIQUE (version)
);

CREATE TABLE providers (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    phone text NOT NULL,
    CONSTRAINT providers_pkey PRIMARY KEY (id),
    CONSTRAINT providers_slug_key UNIQUE (slug)
);

CREATE TABLE provider_regions (
    provider_id uuid NOT NULL,
    region text NOT NULL,
    CONSTRAINT provider_regions_pkey PRIMARY KEY (provider_id, region),
    CONSTRAINT provider_regions_provider_id_fkey
        FOREIGN KEY (provider_id) REFERENCES providers(id) ON DELETE CASCADE,
    CONSTRAINT provider_regions_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);
CREATE INDEX provider_regions_region_idx ON provider_regions (region);

CREATE TABLE sites (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    municipality text NOT NULL,
    address_secrecy text NOT NULL,
    supervision text NOT NULL,
    features text[] DEFAULT '{}'::text[] NOT NULL,
    specialisms text[] DEFAULT '{}'::text[] NOT NULL,
    exclusive_to text[] DEFAULT '{}'::text[] NOT NULL,
    admission text NOT NULL,
    automatic_acceptance boolean DEFAULT false NOT NULL,
    confirmed_at timestamptz,
    revision bigint DEFAULT 0 NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    compromised_because text,
    compromised_since timestamptz,
    CONSTRAINT sites_pkey PRIMARY KEY (id),
    CONSTRAINT sites_address_secrecy_check CHECK (address_secrecy IN ('confidential', 'known')),
    CONSTRAINT sites_admission_check CHECK (admission IN ('open', 'paused')),
    CONSTRAINT sites_compromised_check CHECK (
        (compromised_because IS NULL) = (compromised_since IS NULL)
    ),
    CONSTRAINT sites_confidential_never_automatic_check CHECK (
        NOT automatic_acceptance OR address_secrecy = 'known'
    ),
    CONSTRAINT sites_supervision_check CHECK (supervision IN ('24h', 'daytime', 'none')),
    CONSTRAINT sites_municipality_fkey FOREIGN KEY (municipality) REFERENCES municipalities(code),
    CONSTRAINT sites_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id)
);
CREATE INDEX sites_provider_id_idx ON sites (provider_id);

CREATE TABLE site_secrets (
    site_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    key bytea NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT site_secrets_pkey PRIMARY KEY (site_id),
    CONSTRAINT site_secrets_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT site_secrets_site_id_fkey
        FOREIGN KEY (site_id) REFERENCES sites(id) ON DELETE CASCADE
);
CREATE INDEX site_secrets_provider_id_idx ON site_secrets (provider_id);

CREATE TABLE place_groups (
    id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    bed_spaces integer NOT NULL,
    sharing text NOT NULL,
    genders text[] NOT NULL,
    sons_up_to_age integer NOT NULL,
    features text[] DEFAULT '{}'::text[] NOT NULL,
    places integer DEFAULT 0 NOT NULL,
    CONSTRAINT place_groups_pkey PRIMARY KEY (id),
    CONSTRAINT place_groups_site_id_kind_bed_spaces_sharing_genders_so_8035
        UNIQUE (site_id, kind, bed_spaces, sharing, genders, sons_up_to_age, features),
    CONSTRAINT place_groups_bed_spaces_check CHECK (bed_spaces BETWEEN 1 AND 50),
    CONSTRAINT place_groups_genders_check CHECK (cardinality(genders) > 0),
    CONSTRAINT place_groups_kind_check CHECK (
        kind IN ('crisis', 'regular', 'emergency', 'move_on', 'alternative')
    ),
    CONSTRAINT place_groups_places_check CHECK (places >= 0),
    CONSTRAINT place_groups_sharing_check CHECK (
        sharing IN ('own_unit', 'shared_facilities', 'shared_room')
    ),
    CONSTRAINT place_groups_sons_up_to_age_check CHECK (sons_up_to_age BETWEEN 0 AND 25),
    CONSTRAINT place_groups_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(id)
);

CREATE TABLE places (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    site_id uuid NOT NULL,
    group_id uuid NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT places_pkey PRIMARY KEY (id),
    CONSTRAINT places_id_group_id_key UNIQUE (id, group_id),
    CONSTRAINT places_group_id_fkey FOREIGN KEY (group_id) REFERENCES place_groups(id),
    CONSTRAINT places_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT places_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(id)
);
CREATE INDEX places_group_id_idx ON places (group_id);
CREATE INDEX places_provider_id_idx ON places (provider_id);
CREATE INDEX places_site_id_idx ON places (site_id);

CREATE TABLE place_secrets (
    place_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT place_secrets_pkey PRIMARY KEY (place_id),
    CONSTRAINT place_secrets_place_id_fkey
        FOREIGN KEY (place_id) REFERENCES places(id) ON DELETE CASCADE,
    CONSTRAINT place_secrets_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id)
);
CREATE INDEX place_secrets_provider_id_idx ON place_secrets (provider_id);

CREATE TABLE availability_steps (
    provider_id uuid NOT NULL,
    region text NOT NULL,
    kind text NOT NULL,
    total integer NOT NULL,
    free integer NOT NULL,
    held integer NOT NULL,
    occupied integer NOT NULL,
    out_of_service integer NOT NULL,
    oldest_confirmation timestamptz,
    unconfirmed boolean NOT NULL,
    taken_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT availability_steps_pkey PRIMARY KEY (provider_id, region, kind),
    CONSTRAINT availability_steps_provider_id_fkey
        FOREIGN KEY (provider_id) REFERENCES providers(id) ON DELETE CASCADE,
    CONSTRAINT availability_steps_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);

CREATE TABLE vacancies (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    site_id uuid NOT NULL,
    group_id uuid NOT NULL,
    place_id uuid,
    left_by uuid,
    freed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    reached uuid,
    lawful_for integer DEFAULT 0 NOT NULL,
    counted_at timestamptz,
    CONSTRAINT vacancies_pkey PRIMARY KEY (id),
    CONSTRAINT vacancies_lawful_for_check CHECK (lawful_for >= 0)
);
CREATE INDEX vacancies_provider_idx ON vacancies (provider_id, freed_at, id);
CREATE INDEX vacancies_uncounted_idx ON vacancies (freed_at) WHERE counted_at IS NULL;

CREATE TABLE accounts (
    id uuid NOT NULL,
    roles text[] NOT NULL,
    provider_id uuid,
    region text,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    disabled_at timestamptz,
    name text,
    demo boolean DEFAULT false NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_provider_check CHECK (
        provider_id IS NOT NULL
        OR NOT roles && ARRAY['intake_worker', 'coordinator', 'client_system']
    ),
    CONSTRAINT accounts_region_check CHECK (region IS NOT NULL OR NOT 'auditor' = ANY (roles)),
    CONSTRAINT accounts_roles_check CHECK (
        roles <@ ARRAY['intake_worker', 'coordinator', 'auditor', 'administrator', 'client_system']
        AND cardinality(roles) > 0
    ),
    CONSTRAINT accounts_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT accounts_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);

CREATE TABLE tokens (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    hash bytea NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT tokens_pkey PRIMARY KEY (id),
    CONSTRAINT tokens_hash_key UNIQUE (hash),
    CONSTRAINT tokens_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
);
CREATE INDEX tokens_account_id_idx ON tokens (account_id);

CREATE TABLE credentials (
    account_id uuid NOT NULL,
    name_key bytea NOT NULL,
    key bytea NOT NULL,
    name bytea NOT NULL,
    password text,
    second_factor bytea,
    used_step bigint DEFAULT 0 NOT NULL,
    enrolled_at timestamptz,
    CONSTRAINT credentials_pkey PRIMARY KEY (account_id),
    CONSTRAINT credentials_name_key_key UNIQUE (name_key),
    CONSTRAINT credentials_enrolled_check CHECK (
        (password IS NULL) = (second_factor IS NULL) AND (password IS NULL) = (enrolled_at IS NULL)
    ),
    CONSTRAINT credentials_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
);

CREATE TABLE recovery_codes (
    account_id uuid NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT recovery_codes_pkey PRIMARY KEY (account_id, hash),
    CONSTRAINT recovery_codes_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
);

CREATE TABLE invitations (
    hash bytea NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT invitations_pkey PRIMARY KEY (hash),
    CONSTRAINT invitations_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE
);
CREATE INDEX invitations_account_id_idx ON invitations (account_id);

CREATE TABLE sessions (
    token_id uuid NOT NULL,
    account_id uuid NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    seen_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    ends_at timestamptz NOT NULL,
    device text NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (token_id),
    CONSTRAINT sessions_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES accounts(id) ON DELETE CASCADE,
    CONSTRAINT sessions_token_id_fkey FOREIGN KEY (token_id) REFERENCES tokens(id) ON DELETE CASCADE
);
CREATE INDEX sessions_account_id_idx ON sessions (account_id);

CREATE TABLE referrals (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    reference text NOT NULL,
    status text DEFAULT 'open' NOT NULL,
    urgency text NOT NULL,
    reason text NOT NULL,
    origin text NOT NULL,
    hold_id uuid,
    held_until timestamptz,
    version integer DEFAULT 1 NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT referrals_pkey PRIMARY KEY (id),
    CONSTRAINT referrals_hold_id_key UNIQUE (hold_id),
    CONSTRAINT referrals_reference_key UNIQUE (reference),
    CONSTRAINT referrals_held_check CHECK ((status = 'held') = (hold_id IS NOT NULL)),
    CONSTRAINT referrals_held_until_check CHECK ((hold_id IS NULL) = (held_until IS NULL)),
    CONSTRAINT referrals_reason_check CHECK (
        reason IN ('safety', 'capacity', 'follow_on', 'return')
    ),
    CONSTRAINT referrals_status_check CHECK (
        status IN ('open', 'held', 'placed', 'ended', 'withdrawn')
    ),
    CONSTRAINT referrals_urgency_check CHECK (urgency IN ('acute', 'urgent', 'planned')),
    CONSTRAINT referrals_origin_fkey FOREIGN KEY (origin) REFERENCES municipalities(code),
    CONSTRAINT referrals_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id)
);
CREATE INDEX referrals_provider_idx ON referrals (provider_id, created_at, id);
CREATE INDEX referrals_waiting_idx ON referrals (created_at, id) WHERE status IN ('open', 'held');

CREATE TABLE referral_secrets (
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    key bytea NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT referral_secrets_pkey PRIMARY KEY (referral_id),
    CONSTRAINT referral_secrets_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT referral_secrets_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE
);
CREATE INDEX referral_secrets_provider_id_idx ON referral_secrets (provider_id);

CREATE TABLE shields (
    referral_id uuid NOT NULL,
    account_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    reference text NOT NULL,
    broken_because text,
    until timestamptz,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT shields_pkey PRIMARY KEY (referral_id, account_id),
    CONSTRAINT shields_broken_check CHECK ((broken_because IS NULL) = (until IS NULL)),
    CONSTRAINT shields_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE
);
CREATE INDEX shields_provider_id_idx ON shields (provider_id);

CREATE TABLE contacts (
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    account_id uuid NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    due_at timestamptz,
    sealed bytea NOT NULL,
    CONSTRAINT contacts_pkey PRIMARY KEY (id),
    CONSTRAINT contacts_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE
);
CREATE INDEX contacts_referral_id_at_id_idx ON contacts (referral_id, at, id);

CREATE TABLE reminders (
    referral_id uuid NOT NULL,
    what text NOT NULL,
    due_at timestamptz NOT NULL,
    told_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT reminders_pkey PRIMARY KEY (referral_id, what, due_at),
    CONSTRAINT reminders_what_check CHECK (
        what IN ('contact', 'safety_plan', 'alternative_check', 'alternative_nights')
    ),
    CONSTRAINT reminders_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE
);

CREATE TABLE erasures (
    referral_id uuid NOT NULL,
    cause text NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT erasures_pkey PRIMARY KEY (referral_id),
    CONSTRAINT erasures_cause_check CHECK (cause IN ('request', 'retention', 'restore'))
);

CREATE TABLE alternatives (
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    reference text NOT NULL,
    provider_id uuid NOT NULL,
    responsible_id uuid NOT NULL,
    kind text NOT NULL,
    started_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    until date,
    checked_at timestamptz,
    outcome text,
    next_check_at timestamptz NOT NULL,
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT alternatives_pkey PRIMARY KEY (id),
    CONSTRAINT alternatives_checked_check CHECK ((checked_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT alternatives_ended_check CHECK ((ended_at IS NULL) = (end_reason IS NULL)),
    CONSTRAINT alternatives_kind_check CHECK (
        kind IN ('emergency_bed', 'hotel', 'holiday_park', 'ambulatory')
    ),
    CONSTRAINT alternatives_nights_check CHECK (kind <> 'emergency_bed' OR until IS NOT NULL),
    CONSTRAINT alternatives_outcome_check CHECK (outcome IN ('well', 'not_well', 'not_reached')),
    CONSTRAINT alternatives_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT alternatives_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE,
    CONSTRAINT alternatives_responsible_id_fkey
        FOREIGN KEY (responsible_id) REFERENCES providers(id)
);
CREATE UNIQUE INDEX alternatives_live_key ON alternatives (referral_id) WHERE ended_at IS NULL;
CREATE INDEX alternatives_provider_idx ON alternatives (provider_id, next_check_at, id)
    WHERE ended_at IS NULL;
CREATE INDEX alternatives_responsible_idx ON alternatives (responsible_id, next_check_at, id)
    WHERE ended_at IS NULL;
CREATE INDEX alternatives_started_idx ON alternatives (started_at);

CREATE TABLE ambulatory_capacities (
    provider_id uuid NOT NULL,
    capacity integer NOT NULL,
    CONSTRAINT ambulatory_capacities_pkey PRIMARY KEY (provider_id),
    CONSTRAINT ambulatory_capacities_capacity_check CHECK (capacity BETWEEN 0 AND 10000),
    CONSTRAINT ambulatory_capacities_provider_id_fkey
        FOREIGN KEY (provider_id) REFERENCES providers(id) ON DELETE CASCADE
);

CREATE TABLE registers (
    hash text NOT NULL,
    content bytea NOT NULL,
    recorded_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT registers_pkey PRIMARY KEY (hash)
);

CREATE TABLE rankings (
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    referral_version integer NOT NULL,
    register_version bigint NOT NULL,
    as_of timestamptz NOT NULL,
    policy_hash text NOT NULL,
    register_hash text NOT NULL,
    rules_version text NOT NULL,
    digest text NOT NULL,
    sealed bytea NOT NULL,
    came_free_rank integer,
    CONSTRAINT rankings_pkey PRIMARY KEY (id),
    CONSTRAINT rankings_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES referrals(id) ON DELETE CASCADE
);
CREATE INDEX rankings_as_of_idx ON rankings (as_of, id);
CREATE INDEX rankings_referral_id_idx ON rankings (referral_id);

CREATE TABLE peak_plans (
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    made_at timestamptz,
    counts jsonb,
    CONSTRAINT peak_plans_pkey PRIMARY KEY (id),
    CONSTRAINT peak_plans_made_check CHECK ((made_at IS NULL) = (counts IS NULL))
);

CREATE TABLE holds (
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    place_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    ranking_id uuid NOT NULL,
    rank integer NOT NULL,
    override_reason text,
    status text NOT NULL,
    accepted_by text,
    accepted_at timestamptz,
    reason text,
    expires_at timestamptz NOT NULL,
    renewals_left integer NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    resolved_at timestamptz,
    unsafe_since timestamptz,
    swap_id uuid,
    CONSTRAINT holds_pkey PRIMARY KEY (id),
    CONSTRAINT holds_accepted_by_check CHECK (accepted_by IS NULL OR accepted_at IS NOT NULL),
    CONSTRAINT holds_renewals_left_check CHECK (renewals_left >= 0),
    CONSTRAINT holds_resolved_check CHECK (
        (status IN ('pending', 'accepted')) = (resolved_at IS NULL)
    ),
    CONSTRAINT holds_status_check CHECK (
        status IN ('pending', 'accepted', 'placed', 'declined', 'no_answer', 'released', 'expired')
    ),
    CONSTRAINT holds_place_id_fkey FOREIGN KEY (place_id) REFERENCES places(id),
    CONSTRAINT holds_ranking_id_fkey FOREIGN KEY (ranking_id) REFERENCES rankings(id),
    CONSTRAINT holds_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referrals(id)
);
CREATE INDEX holds_declined_idx ON holds (referral_id) WHERE status = 'declined';
CREATE UNIQUE INDEX holds_live_place_key ON holds (place_id) WHERE resolved_at IS NULL;
CREATE UNIQUE INDEX holds_live_referral_key ON holds (referral_id) WHERE resolved_at IS NULL;
CREATE INDEX holds_live_site_idx ON holds (site_id) WHERE resolved_at IS NULL;
CREATE INDEX holds_receiver_idx ON holds (receiver_id, created_at, id);
CREATE INDEX holds_resolved_idx ON holds (resolved_at) WHERE resolved_at IS NOT NULL;
CREATE INDEX holds_sender_idx ON holds (provider_id, created_at, id);

CREATE TABLE answers (
    account_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    provider_id uuid,
    region text,
    status integer NOT NULL,
    sealed bytea NOT NULL,
    made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    referral_id uuid,
    referral_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT answers_pkey PRIMARY KEY (account_id, route, key)
);
CREATE INDEX answers_made_at_idx ON answers (made_at);
CREATE INDEX answers_referral_id_idx ON answers (referral_id);

CREATE TABLE stays (
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    CONSTRAINT stays_pkey PRIMARY KEY (id),
    CONSTRAINT stays_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT stays_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referrals(id)
);
CREATE INDEX stays_referral_id_idx ON stays (referral_id);

CREATE TABLE placements (
    id uuid NOT NULL,
    stay_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    place_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    status text DEFAULT 'underway' NOT NULL,
    reason text NOT NULL,
    origin text NOT NULL,
    origin_region text NOT NULL,
    receiving text NOT NULL,
    cross_regional boolean NOT NULL,
    expected_at timestamptz,
    arrived_at timestamptz,
    no_show_at timestamptz,
    safety_checked_at timestamptz,
    departed_at timestamptz,
    destination text,
    blockers text[] DEFAULT '{}'::text[] NOT NULL,
    expected_departure date,
    ready_to_leave_since date,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    previous_id uuid,
    began_id uuid,
    unsafe_since timestamptz,
    return_by date,
    return_reminded_at timestamptz,
    alarmed_at timestamptz,
    missed_since timestamptz,
    arrival_withdrawn_at timestamptz,
    CONSTRAINT placements_pkey PRIMARY KEY (id),
    CONSTRAINT placements_hold_id_key UNIQUE (hold_id),
    CONSTRAINT placements_arrived_check CHECK (
        (status IN ('arrived', 'ended')) = (arrived_at IS NOT NULL)
    ),
    CONSTRAINT placements_departed_check CHECK ((status = 'ended') = (departed_at IS NOT NULL)),
    CONSTRAINT placements_no_show_check CHECK ((status = 'no_show') = (no_show_at IS NOT NULL)),
    CONSTRAINT placements_order_check CHECK (departed_at >= arrived_at),
    CONSTRAINT placements_status_check CHECK (
        status IN ('underway', 'arrived', 'no_show', 'ended', 'cancelled')
    ),
    CONSTRAINT placements_began_id_fkey FOREIGN KEY (began_id) REFERENCES placements(id),
    CONSTRAINT placements_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES holds(id),
    CONSTRAINT placements_origin_fkey FOREIGN KEY (origin) REFERENCES municipalities(code),
    CONSTRAINT placements_origin_region_fkey FOREIGN KEY (origin_region) REFERENCES regions(code),
    CONSTRAINT placements_place_id_fkey FOREIGN KEY (place_id) REFERENCES places(id),
    CONSTRAINT placements_previous_id_fkey FOREIGN KEY (previous_id) REFERENCES placements(id),
    CONSTRAINT placements_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id),
    CONSTRAINT placements_receiver_id_fkey FOREIGN KEY (receiver_id) REFERENCES providers(id),
    CONSTRAINT placements_receiving_fkey FOREIGN KEY (receiving) REFERENCES regions(code),
    CONSTRAINT placements_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referrals(id),
    CONSTRAINT placements_site_id_fkey FOREIGN KEY (site_id) REFERENCES sites(id),
    CONSTRAINT placements_stay_id_fkey FOREIGN KEY (stay_id) REFERENCES stays(id)
);
CREATE INDEX placements_arrived_idx ON placements (arrived_at);
CREATE INDEX placements_awaited_idx ON placements (COALESCE(no_show_at, expected_at, created_at))
    WHERE status = 'underway' OR (status = 'no_show' AND safety_checked_at IS NULL);
CREATE INDEX placements_began_id_idx ON placements (began_id);
CREATE INDEX placements_capacity_idx ON placements (receiving)
    WHERE status IN ('underway', 'arrived') AND cross_regional AND reason <> 'safety';
CREATE INDEX placements_departed_idx ON placements (departed_at) WHERE arrived_at IS NOT NULL;
CREATE INDEX placements_origin_idx ON placements (origin_region, arrived_at, id)
    WHERE arrived_at IS NOT NULL;
CREATE INDEX placements_place_id_idx ON placements (place_id);
CREATE UNIQUE INDEX placements_previous_key ON placements (previous_id)
    WHERE status NOT IN ('no_show', 'cancelled');
CREATE INDEX placements_receiver_idx ON placements (receiver_id, created_at, id);
CREATE INDEX placements_receiving_idx ON placements (receiving, arrived_at, id)
    WHERE arrived_at IS NOT NULL;
CREATE INDEX placements_referral_id_idx ON placements (referral_id);
CREATE INDEX placements_returns_idx ON placements (return_by)
    WHERE status = 'arrived' AND return_reminded_at IS NULL;
CREATE INDEX placements_sender_idx ON placements (provider_id, created_at, id);
CREATE INDEX placements_site_idx ON placements (site_id) WHERE status IN ('underway', 'arrived');
CREATE UNIQUE INDEX placements_stay_arrived_key ON placements (stay_id) WHERE status = 'arrived';
CREATE INDEX placements_stay_id_idx ON placements (stay_id);
CREATE UNIQUE INDEX placements_stay_underway_key ON placements (stay_id) WHERE status = 'underway';

CREATE TABLE claims (
    place_id uuid NOT NULL,
    group_id uuid NOT NULL,
    kind text,
    hold_id uuid,
    placement_id uuid,
    claimed_until timestamptz DEFAULT '-infinity'::timestamptz NOT NULL,
    reason text,
    expected_until timestamptz,
    since timestamptz DEFAULT clock_timestamp() NOT NULL,
    successor_id uuid,
    CONSTRAINT claims_pkey PRIMARY KEY (place_id),
    CONSTRAINT claims_hold_id_key UNIQUE (hold_id),
    CONSTRAINT claims_placement_id_key UNIQUE (placement_id),
    CONSTRAINT claims_successor_id_key UNIQUE (successor_id),
    CONSTRAINT claims_kind_check CHECK (
        CASE
        WHEN kind IS NULL
        THEN claimed_until = '-infinity'::timestamptz AND hold_id IS NULL AND placement_id IS NULL
        WHEN kind = 'hold'
        THEN claimed_until < 'infinity'::timestamptz
            AND hold_id IS NOT NULL AND placement_id IS NULL
        WHEN kind = 'placement'
        THEN claimed_until = 'infinity'::timestamptz AND placement_id IS NOT NULL
        WHEN kind IN ('occupied', 'out_of_service')
        THEN claimed_until = 'infinity'::timestamptz AND hold_id IS NULL AND placement_id IS NULL
        ELSE false
        END
    ),
    CONSTRAINT claims_reason_check CHECK (
        (kind = 'out_of_service') = (reason IS NOT NULL) OR kind IS NULL
    ),
    CONSTRAINT claims_successor_check CHECK (successor_id IS NULL OR kind = 'placement'),
    CONSTRAINT claims_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES holds(id),
    CONSTRAINT claims_place_id_fkey
        FOREIGN KEY (place_id, group_id) REFERENCES places(id, group_id) ON UPDATE CASCADE,
    CONSTRAINT claims_placement_id_fkey FOREIGN KEY (placement_id) REFERENCES placements(id),
    CONSTRAINT claims_successor_id_fkey FOREIGN KEY (successor_id) REFERENCES placements(id)
);
CREATE INDEX claims_group_id_claimed_until_idx ON claims (group_id, claimed_until);
CREATE INDEX claims_lapsing_idx ON claims (claimed_until) WHERE kind = 'hold';

CREATE TABLE blocker_periods (
    placement_id uuid NOT NULL,
    code text NOT NULL,
    since timestamptz DEFAULT clock_timestamp() NOT NULL,
    until timestamptz,
    CONSTRAINT blocker_periods_pkey PRIMARY KEY (placement_id, code, since),
    CONSTRAINT blocker_periods_order_check CHECK (until >= since),
    CONSTRAINT blocker_periods_placement_id_fkey
        FOREIGN KEY (placement_id) REFERENCES placements(id)
);
CREATE UNIQUE INDEX blocker_periods_open_key ON blocker_periods (placement_id, code)
    WHERE until IS NULL;
CREATE INDEX blocker_periods_since_idx ON blocker_periods (since);

CREATE TABLE ready_periods (
    placement_id uuid NOT NULL,
    noted_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    since date NOT NULL,
    until timestamptz,
    CONSTRAINT ready_periods_pkey PRIMARY KEY (placement_id, noted_at),
    CONSTRAINT ready_periods_order_check CHECK (until >= noted_at),
    CONSTRAINT ready_periods_placement_id_fkey FOREIGN KEY (placement_id) REFERENCES placements(id)
);
CREATE UNIQUE INDEX ready_periods_open_key ON ready_periods (placement_id) WHERE until IS NULL;

CREATE TABLE move_agreements (
    placement_id uuid NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    receiver_id uuid NOT NULL,
    agreed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    lapses_at timestamptz NOT NULL,
    CONSTRAINT move_agreements_pkey PRIMARY KEY (placement_id),
    CONSTRAINT move_agreements_placement_id_fkey
        FOREIGN KEY (placement_id) REFERENCES placements(id),
    CONSTRAINT move_agreements_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referrals(id)
);
CREATE INDEX move_agreements_referral_id_idx ON move_agreements (referral_id);

CREATE TABLE swap_searches (
    id uuid NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    found integer NOT NULL,
    sealed bytea NOT NULL,
    asked_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT swap_searches_pkey PRIMARY KEY (id),
    CONSTRAINT swap_searches_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referrals(id)
);
CREATE INDEX swap_searches_referral_id_asked_at_idx ON swap_searches (referral_id, asked_at);

CREATE TABLE swaps (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    status text DEFAULT 'proposed' NOT NULL,
    reason text,
    moves integer NOT NULL,
    children integer NOT NULL,
    expires_at timestamptz NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT swaps_pkey PRIMARY KEY (id),
    CONSTRAINT swaps_resolved_check CHECK (
        (status IN ('proposed', 'reserved')) = (resolved_at IS NULL)
    ),
    CONSTRAINT swaps_status_check CHECK (
        status IN ('proposed', 'reserved', 'completed', 'broken', 'refused', 'expired')
    )
);
CREATE INDEX swaps_lapsing_idx ON swaps (expires_at) WHERE status = 'proposed';

CREATE TABLE swap_legs (
    id uuid NOT NULL,
    swap_id uuid NOT NULL,
    turn integer NOT NULL,
    referral_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    placement_id uuid,
    leaving_id uuid,
    place_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL,
    receiving_id uuid NOT NULL,
    household_at timestamptz,
    leaving_at timestamptz,
    receiving_at timestamptz,
    hold_id uuid,
    live boolean DEFAULT true NOT NULL,
    outcome text,
    CONSTRAINT swap_legs_pkey PRIMARY KEY (id),
    CONSTRAINT swap_legs_swap_id_turn_key UNIQUE (swap_id, turn),
    CONSTRAINT swap_legs_leaving_check CHECK ((placement_id IS NULL) = (leaving_id IS NULL)),
    CONSTRAINT swap_legs_live_check CHECK (live = (outcome IS NULL)),
    CONSTRAINT swap_legs_nobody_left_check CHECK (placement_id IS NOT NULL OR leaving_at IS NULL),
    CONSTRAINT swap_legs_outcome_check CHECK (
        outcome IN ('arrived', 'no_show', 'cancelled', 'void')
    ),
    CONSTRAINT swap_legs_hold_id_fkey FOREIGN KEY (hold_id) REFERENCES holds(id),
    CONSTRAINT swap_legs_place_id_fkey FOREIGN KEY (place_id) REFERENCES places(id),
    CONSTRAINT swap_legs_placement_id_fkey FOREIGN KEY (placement_id) REFERENCES placements(id),
    CONSTRAINT swap_legs_referral_id_fkey FOREIGN KEY (referral_id) REFERENCES referrals(id),
    CONSTRAINT swap_legs_swap_id_fkey FOREIGN KEY (swap_id) REFERENCES swaps(id)
);
CREATE INDEX swap_legs_hold_idx ON swap_legs (hold_id);
CREATE INDEX swap_legs_leaving_idx ON swap_legs (leaving_id);
CREATE UNIQUE INDEX swap_legs_live_place_key ON swap_legs (place_id) WHERE live;
CREATE UNIQUE INDEX swap_legs_live_referral_key ON swap_legs (referral_id) WHERE live;
CREATE INDEX swap_legs_placement_idx ON swap_legs (placement_id);
CREATE INDEX swap_legs_receiving_idx ON swap_legs (receiving_id);
CREATE INDEX swap_legs_sender_idx ON swap_legs (provider_id);

CREATE TABLE leaves (
    index bigint NOT NULL,
    type text NOT NULL,
    content bytea NOT NULL,
    placement_id uuid,
    written_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT leaves_pkey PRIMARY KEY (index),
    CONSTRAINT leaves_about_check CHECK (
        CASE WHEN type = 'correction' THEN true
        ELSE (type IN ('quarter_total', 'weights', 'policy', 'cap')) = (placement_id IS NULL) END
    ),
    CONSTRAINT leaves_index_check CHECK (index >= 0),
    CONSTRAINT leaves_type_check CHECK (
        type IN ('arrival', 'departure', 'correction', 'quarter_total', 'weights', 'policy', 'cap')
    )
);
CREATE INDEX leaves_in_clear_idx ON leaves (type, index) WHERE placement_id IS NULL;
CREATE UNIQUE INDEX leaves_once_key ON leaves (placement_id, type)
    WHERE type IN ('arrival', 'departure');
CREATE INDEX leaves_placement_id_idx ON leaves (placement_id);

CREATE TABLE openings (
    index bigint NOT NULL,
    origin_region text NOT NULL,
    receiving_region text NOT NULL,
    opens_at timestamptz NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT openings_pkey PRIMARY KEY (index),
    CONSTRAINT openings_index_fkey FOREIGN KEY (index) REFERENCES leaves(index),
    CONSTRAINT openings_origin_region_fkey FOREIGN KEY (origin_region) REFERENCES regions(code),
    CONSTRAINT openings_receiving_region_fkey
        FOREIGN KEY (receiving_region) REFERENCES regions(code)
);
CREATE INDEX openings_origin_region_idx ON openings (origin_region);
CREATE INDEX openings_receiving_region_idx ON openings (receiving_region);

CREATE TABLE subtrees (
    level bigint NOT NULL,
    index bigint NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT subtrees_pkey PRIMARY KEY (level, index),
    CONSTRAINT subtrees_hash_check CHECK (octet_length(hash) = 32)
);

CREATE TABLE checkpoints (
    size bigint NOT NULL,
    root bytea NOT NULL,
    note text NOT NULL,
    public_from timestamptz NOT NULL,
    sealed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (size),
    CONSTRAINT checkpoints_root_check CHECK (octet_length(root) = 32),
    CONSTRAINT checkpoints_size_check CHECK (size >= 0)
);
CREATE INDEX checkpoints_public_idx ON checkpoints (public_from, size);

CREATE TABLE running_stays (
    leaves bigint NOT NULL,
    arrivals bigint[] NOT NULL,
    noted_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT running_stays_pkey PRIMARY KEY (leaves)
);

CREATE TABLE shares (
    region text NOT NULL,
    given bigint DEFAULT 0 NOT NULL,
    quota bigint DEFAULT 0 NOT NULL,
    deficit bigint DEFAULT 0 NOT NULL,
    shown_on date,
    CONSTRAINT shares_pkey PRIMARY KEY (region),
    CONSTRAINT shares_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);

CREATE TABLE quarter_totals (
    quarter text NOT NULL,
    version integer NOT NULL,
    index bigint,
    sealed_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT quarter_totals_pkey PRIMARY KEY (quarter, version),
    CONSTRAINT quarter_totals_index_key UNIQUE (index),
    CONSTRAINT quarter_totals_version_check CHECK (version > 0),
    CONSTRAINT quarter_totals_index_fkey FOREIGN KEY (index) REFERENCES leaves(index)
);

CREATE TABLE pair_nights (
    quarter text NOT NULL,
    version integer NOT NULL,
    origin text NOT NULL,
    receiving text NOT NULL,
    month date NOT NULL,
    reason text NOT NULL,
    nights integer NOT NULL,
    after_ready integer NOT NULL,
    stays integer NOT NULL,
    CONSTRAINT pair_nights_pkey PRIMARY KEY (quarter, version, origin, receiving, month, reason),
    CONSTRAINT pair_nights_amount_check CHECK (nights >= 0 AND after_ready >= 0 AND stays > 0),
    CONSTRAINT pair_nights_origin_fkey FOREIGN KEY (origin) REFERENCES regions(code),
    CONSTRAINT pair_nights_quarter_fkey
        FOREIGN KEY (quarter, version) REFERENCES quarter_totals(quarter, version),
    CONSTRAINT pair_nights_receiving_fkey FOREIGN KEY (receiving) REFERENCES regions(code)
);

CREATE TABLE quarter_figures (
    quarter text NOT NULL,
    figures jsonb NOT NULL,
    taken_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT quarter_figures_pkey PRIMARY KEY (quarter)
);

CREATE TABLE caps (
    id uuid NOT NULL,
    region text NOT NULL,
    at_most integer NOT NULL,
    reason text NOT NULL,
    first_day date NOT NULL,
    last_day date NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    account_id uuid NOT NULL,
    index bigint NOT NULL,
    set_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_on date,
    CONSTRAINT caps_pkey PRIMARY KEY (id),
    CONSTRAINT caps_at_most_check CHECK (at_most >= 0),
    CONSTRAINT caps_days_check CHECK (last_day >= first_day),
    CONSTRAINT caps_moments_check CHECK (ends_at > begins_at),
    CONSTRAINT caps_withdrawn_check CHECK ((withdrawn_at IS NULL) = (withdrawn_on IS NULL)),
    CONSTRAINT caps_index_fkey FOREIGN KEY (index) REFERENCES leaves(index),
    CONSTRAINT caps_region_fkey FOREIGN KEY (region) REFERENCES regions(code)
);
CREATE INDEX caps_first_day_id_idx ON caps (first_day, id);
CREATE INDEX caps_region_idx ON caps (region, ends_at) WHERE withdrawn_at IS NULL;

CREATE TABLE displacements (
    index bigint NOT NULL,
    cap_id uuid NOT NULL,
    CONSTRAINT displacements_pkey PRIMARY KEY (index, cap_id),
    CONSTRAINT displacements_cap_id_fkey FOREIGN KEY (cap_id) REFERENCES caps(id),
    CONSTRAINT displacements_index_fkey FOREIGN KEY (index) REFERENCES leaves(index)
);

CREATE TABLE monitor_days (
    day date NOT NULL,
    provider_id uuid NOT NULL,
    region text NOT NULL,
    places integer NOT NULL,
    in_use integer NOT NULL,
    out_of_service integer NOT NULL,
    sites integer NOT NULL,
    stale integer NOT NULL,
    unknown integer NOT NULL,
    CONSTRAINT monitor_days_pkey PRIMARY KEY (day, provider_id, region),
    CONSTRAINT monitor_days_parts_check CHECK (
        in_use + out_of_service <= places AND stale + unknown <= sites
    )
);

CREATE TABLE household_counts (
    quarter date NOT NULL,
    provider_id uuid NOT NULL,
    region text NOT NULL,
    sealed bytea NOT NULL,
    CONSTRAINT household_counts_pkey PRIMARY KEY (quarter, provider_id, region)
);

CREATE TABLE monitor_releases (
    quarter date NOT NULL,
    region text NOT NULL,
    made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    figures jsonb NOT NULL,
    CONSTRAINT monitor_releases_pkey PRIMARY KEY (quarter, region)
);

CREATE TABLE monitor_staleness (
    quarter date NOT NULL,
    provider_id uuid NOT NULL,
    region text NOT NULL,
    days integer NOT NULL,
    stale_permille integer NOT NULL,
    unknown_permille integer NOT NULL,
    made_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT monitor_staleness_pkey PRIMARY KEY (quarter, provider_id, region),
    CONSTRAINT monitor_staleness_parts_check CHECK (stale_permille + unknown_permille <= 1000)
);

CREATE TABLE access_log (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    account_id uuid,
    roles text[] NOT NULL,
    provider_id uuid,
    purpose text,
    object_type text NOT NULL,
    object_id uuid,
    source text,
    request_id text,
    referral_ids uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    CONSTRAINT access_log_pkey PRIMARY KEY (id)
);
CREATE INDEX access_log_account_id_at_idx ON access_log (account_id, at);
CREATE INDEX access_log_at_idx ON access_log (at);
CREATE INDEX access_log_break_glass_idx ON access_log (provider_id, id)
    WHERE action = 'break_glass';
CREATE INDEX access_log_object_id_idx ON access_log (object_id);
CREATE INDEX access_log_reveals_idx ON access_log (object_id, id) WHERE action = 'reveal';

CREATE TABLE access_log_referrals (
    referral_id uuid NOT NULL,
    entry_id bigint NOT NULL,
    CONSTRAINT access_log_referrals_pkey PRIMARY KEY (referral_id, entry_id)
);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    position bigint,
    kind text NOT NULL,
    subject text NOT NULL,
    audience uuid[],
    at timestamptz DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_position_key UNIQUE ("position"),
    CONSTRAINT outbox_kind_check CHECK (
        kind IN (
            'availability', 'hold', 'placement', 'swap', 'access', 'waiting', 'reminder', 'alarm'
        )
    )
);
CREATE INDEX outbox_at_idx ON outbox (at);
CREATE INDEX outbox_unnumbered_idx ON outbox (id) WHERE position IS NULL;

CREATE TABLE heads (
    name text NOT NULL,
    value bigint NOT NULL,
    CONSTRAINT heads_pkey PRIMARY KEY (name)
);

CREATE TABLE timers (
    name text NOT NULL,
    due_at timestamptz NOT NULL,
    leased_until timestamptz NOT NULL,
    CONSTRAINT timers_pkey PRIMARY KEY (name)
);

CREATE TABLE installation_keys (
    name text NOT NULL,
    wrapped bytea NOT NULL,
    CONSTRAINT installation_keys_pkey PRIMARY KEY (name)
);

CREATE TABLE webhooks (
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    kinds text[] NOT NULL,
    key bytea NOT NULL,
    sealed bytea NOT NULL,
    created_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    last_delivery_at timestamptz,
    failing_since timestamptz,
    disabled_at timestamptz,
    disabled_because text,
    CONSTRAINT webhooks_pkey PRIMARY KEY (id),
    CONSTRAINT webhooks_disabled_because_check CHECK (disabled_because IN ('gone', 'failing')),
    CONSTRAINT webhooks_disabled_check CHECK ((disabled_at IS NULL) = (disabled_because IS NULL)),
    CONSTRAINT webhooks_kinds_check CHECK (
        cardinality(kinds) > 0 AND kinds <@ ARRAY['hold', 'placement', 'swap', 'availability']
    ),
    CONSTRAINT webhooks_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES providers(id)
);
CREATE INDEX webhooks_provider_id_idx ON webhooks (provider_id);

CREATE TABLE webhook_deliveries (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    webhook_id uuid NOT NULL,
    position bigint NOT NULL,
    kind text NOT NULL,
    subject text NOT NULL,
    at timestamptz NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_at timestamptz DEFAULT clock_timestamp() NOT NULL,
    ended_at timestamptz,
    outcome text,
    CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (id),
    CONSTRAINT webhook_deliveries_webhook_id_position_key UNIQUE (webhook_id, "position"),
    CONSTRAINT webhook_deliveries_ended_check CHECK ((ended_at IS NULL) = (outcome IS NULL)),
    CONSTRAINT webhook_deliveries_outcome_check CHECK (outcome IN ('delivered', 'given_up'))
);
CREATE INDEX webhook_deliveries_ended_idx ON webhook_deliveries (ended_at)
    WHERE ended_at IS NOT NULL;
CREATE INDEX webhook_deliveries_waiting_idx ON webhook_deliveries (webhook_id, next_at)
    WHERE ended_at IS NULL;

ALTER TABLE referrals ADD CONSTRAINT referrals_hold_id_fkey
    FOREIGN KEY (hold_id) REFERENCES holds(id) DEFERRABLE INITIALLY DEFERRED;

-- What is numbered without gaps.
INSERT INTO heads (name, value) VALUES
    ('ledger', 0),
    ('outbox', 0),
    ('register', 0),
    ('reference', 0),
    ('checkpoint', 0);

-- What recurs: due at once.
INSERT INTO timers (name, due_at, leased_until) VALUES
    ('arrival_alarms', '-infinity', '-infinity'),
    ('checkpoints', '-infinity', '-infinity'),
    ('monitor', '-infinity', '-infinity'),
    ('peaks', '-infinity', '-infinity'),
    ('prune', '-infinity', '-infinity'),
    ('reminders', '-infinity', '-infinity'),
    ('retention', '-infinity', '-infinity'),
    ('returns', '-infinity', '-infinity'),
    ('step', '-infinity', '-infinity'),
    ('sweep', '-infinity', '-infinity'),
    ('totals', '-infinity', '-infinity'),
    ('vacancies', '-infinity', '-infinity');
