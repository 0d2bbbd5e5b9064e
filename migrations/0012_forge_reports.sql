-- Sites that come through the GitHub App.
alter table sites
    -- GitHub's numbers; the token is minted when it is needed and kept nowhere.
    add column github_installation bigint,
    add column github_repository bigint;
create index sites_github on sites (github_repository) where github_repository is not null;

-- What forges are told of their commits: one row for each deployment, in which the newest state wins.
create table forge_reports (
    deployment_id uuid primary key references deployments on delete cascade,
    team_id uuid not null references teams on delete cascade,
    site_id uuid not null references sites on delete cascade,
    -- `queued`, `running`, or the state in which the deployment ended.
    state text not null,
    -- Raised with each state: what was sent may be older by now.
    change bigint not null default 1,
    -- When it is sent next; null: nothing is to be told.
    due_at timestamptz default now(),
    -- It is being sent. No other of the same site is sent until then, so that states arrive in their order.
    leased_until timestamptz,
    -- How often the present state was tried.
    attempts integer not null default 0,
    sent_at timestamptz,
    -- Why the last try failed, in words for people; null after one that did not.
    last_error text
);
create index forge_reports_due on forge_reports (due_at) where due_at is not null;
create index forge_reports_site on forge_reports (site_id, deployment_id desc);

-- A deployment's state is written by many statements; this is the one place that all of them go through, in their own
-- transaction. What the forge takes for the same is told once; before its commit is known there is nothing to tell.
create function report_deployment() returns trigger language plpgsql as $$
declare
    told text := case
        when new.status in ('fetching', 'building', 'starting', 'verifying', 'switching') then 'running'
        else new.status
    end;
begin
    insert into forge_reports (deployment_id, team_id, site_id, state)
        select new.id, new.team_id, new.site_id, told from sites
        where id = new.site_id and deleting_at is null
          and (repository_token is not null or github_installation is not null)
    on conflict (deployment_id) do update
        set state = excluded.state, change = forge_reports.change + 1, due_at = now(), attempts = 0
        where forge_reports.state <> excluded.state;
    if found then
        perform pg_notify('webmeteor_reports', '');
    end if;
    return null;
end
$$;
create trigger deployments_inserted_report after insert on deployments
    for each row when (new.commit_sha is not null) execute function report_deployment();
create trigger deployments_updated_report after update of status, commit_sha on deployments
    for each row when (new.commit_sha is not null
        and (new.status is distinct from old.status or new.commit_sha is distinct from old.commit_sha))
    execute function report_deployment();
