-- What people set for an environment beside its branch, and its variables, every change a version of its own.
alter table environments
    -- The first label of its host, such as `shop` or `shop-staging`: no two environments of any site share one.
    add column host text,
    -- Nothing new is deployed while it is set.
    add column paused_at timestamptz,
    -- The folder of the repository that the site lies in; empty is the repository itself.
    add column root text not null default '',
    -- A push that changes no path that one of these patterns names is not deployed; with none, every push is.
    add column watch text[] not null default '{}',
    -- The newest of its variable sets; 0 before the first.
    add column variables_version bigint not null default 0,
    add column deleting_at timestamptz,
    add column delete_data boolean,
    add constraint environments_host_key unique (host);
update environments e set host = s.slug || case e.name when 'production' then '' else '-' || e.name end
    from sites s where s.id = e.site_id;

create table variable_sets (
    environment_id uuid not null references environments on delete cascade,
    version bigint not null,
    team_id uuid not null references teams,
    -- All of its variables, sealed with the master key; environment and version are the associated data.
    sealed bytea not null,
    set_by uuid references users on delete set null,
    created_at timestamptz not null default now(),
    primary key (environment_id, version)
);

-- What a release runs with, and what a deployment is to run with; null: the newest set when it begins.
alter table releases add column variables_version bigint not null default 0;
alter table deployments add column variables_version bigint;
