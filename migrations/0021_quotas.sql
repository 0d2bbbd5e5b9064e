-- What a team may use at most, where that is another amount than the installation's settings say.
create table team_quotas (
    team_id uuid not null references teams on delete cascade,
    quota text not null check (quota in ('sites', 'memory', 'cpu', 'disk', 'builds', 'deployments')),
    -- Null: as much as it likes.
    most bigint check (most >= 0),
    set_by uuid references users on delete set null,
    set_at timestamptz not null default now(),
    primary key (team_id, quota)
);

-- What a team's sites took of the disk when it was measured last.
create table team_disk_use (
    team_id uuid primary key references teams on delete cascade,
    bytes bigint not null,
    measured_at timestamptz not null default now()
);

-- What the release of a deployment is to have, written down before its containers start, so that two that start at once
-- see each other.
alter table deployments
    add column plan_memory_bytes bigint,
    add column plan_cpu_millis bigint;
create index deployments_of_team_by_age on deployments (team_id, created_at desc);

-- Memory and CPU of what a team's environments run or are about to start, those of one site alone, or one of them left
-- out, where they are not null. While the next release of one starts beside what serves, it counts as the larger of both:
-- the other is about to go.
create function planned_of_team(team uuid, of_site uuid, but uuid, out memory bigint, out cpu bigint)
language sql stable as $$
    select coalesce(sum(greatest(r.memory, d.plan_memory_bytes, 0)), 0)::bigint,
        coalesce(sum(greatest(r.cpu, d.plan_cpu_millis, 0)), 0)::bigint
    from environments e
        left join lateral (
            select sum((c -> 'spec' ->> 'memory_bytes')::bigint)::bigint as memory,
                sum((c -> 'spec' ->> 'cpu_millis')::bigint)::bigint as cpu
            from releases l, jsonb_array_elements(l.plan -> 'containers') c where l.id = e.current_release) r on true
        left join deployments d on d.environment_id = e.id
            and d.status in ('fetching', 'building', 'starting', 'verifying', 'switching')
    where e.team_id = team and (of_site is null or e.site_id = of_site) and e.id is distinct from but
$$;

-- How many builds of a team may be at work at the same time; null: any number.
create function builds_allowed(team uuid, otherwise bigint) returns bigint language sql stable as $$
    select case when exists (select 1 from team_quotas where team_id = team and quota = 'builds')
        then (select most from team_quotas where team_id = team and quota = 'builds') else otherwise end
$$;
