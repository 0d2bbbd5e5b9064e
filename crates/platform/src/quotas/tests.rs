//! What holds for quotas, on the real database.

use super::*;
use crate::{
    accounts, deployments,
    deployments::NewDeployment,
    sites, teams,
    testing::{self, World, problem, registration},
};
use model::{
    DeploymentId, EnvironmentId, Grant, ReleaseId, Role, Scope,
    deployment::Trigger,
    names::ServiceName,
    plan::{ContainerPlan, NetworkPlan},
    site::{HealthCheck, ServiceSource, ServiceSpec},
};
use sqlx::PgPool;
use std::net::Ipv4Addr;

const MEGABYTE: u64 = 1024 * 1024;

fn admin() -> Actor {
    Actor { is_admin: true, ..Actor::nobody() }
}

impl World {
    async fn allow(&self, quota: Quota, wanted: Wanted) -> TeamQuotasView {
        set(&self.platform, &admin(), self.team, Change([(quota, wanted)].into())).await.unwrap()
    }

    async fn quota(&self, quota: Quota) -> QuotaView {
        let all = get(&self.platform, &self.actor, self.team).await.unwrap().items;
        all.into_iter().find(|it| it.quota == quota).unwrap()
    }

    async fn new_site(&self, slug: &str) -> Result<()> {
        let new = sites::NewSite {
            team_id: None,
            name: slug.into(),
            slug: Some(slug.into()),
            source: sites::NewSource::Hosted {},
        };
        sites::create(&self.platform, &self.actor, new).await.map(drop)
    }

    async fn deploy(&self) -> Result<DeploymentId> {
        let new = NewDeployment::default();
        Ok(deployments::create(&self.platform, &self.actor, self.site, new).await?.summary.id)
    }

    /// A release of this environment with one service that has so much memory; it serves.
    async fn serves(&self, environment: EnvironmentId, site: model::SiteId, megabytes: u64) {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let (id, release) = (DeploymentId::new(), ReleaseId::new());
        let new = store::deployments::NewDeployment {
            id,
            team: self.team,
            site,
            environment,
            trigger: Trigger::Manual,
            triggered_by: None,
            branch: None,
            commit: None,
            message: None,
            author: None,
            from_release: None,
            variables_version: None,
            reason: None,
        };
        store::deployments::insert(&mut conn, &new).await.unwrap();
        sqlx::query("update deployments set status = 'live' where id = $1").bind(id).execute(&mut *conn).await.unwrap();
        let plan = plan(self.team, site, environment, id, megabytes);
        store::releases::insert(&mut conn, self.team, release, environment, id, &plan, 0).await.unwrap();
        store::environments::set_current(&mut conn, self.team, environment, release).await.unwrap();
    }
}

fn plan(
    team: TeamId,
    site: model::SiteId,
    environment: EnvironmentId,
    deployment: DeploymentId,
    megabytes: u64,
) -> ReleasePlan {
    let service = ServiceName::parse("www").unwrap();
    let spec = ServiceSpec {
        name: service.clone(),
        source: ServiceSource::Image("x".into()),
        port: 80,
        command: None,
        route: None,
        strip_prefix: false,
        health: HealthCheck::default(),
        memory_bytes: megabytes * MEGABYTE,
        cpu_millis: 500,
        volumes: BTreeMap::new(),
    };
    let address = Ipv4Addr::new(10, 64, 0, 2);
    let container = ContainerPlan { service, name: "n".into(), image: "x".into(), address, spec, stateful: false };
    ReleasePlan {
        team,
        site,
        environment,
        deployment,
        project: "ada-shop".into(),
        hosts: vec![],
        domain: None,
        network: NetworkPlan { name: "n".into(), base: Ipv4Addr::new(10, 64, 0, 0), prefix: 27 },
        containers: vec![container],
        volumes: BTreeMap::new(),
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn without_a_number_there_is_no_limit_and_an_administrators_holds_over_the_settings(pool: PgPool) {
    let mut world = World::new(pool).await;
    let sites = world.quota(Quota::Sites).await;
    assert_eq!((sites.used, sites.limit, sites.is_own), (1, None, false));
    world.platform.settings.quotas.sites = Some(1);
    let told = problem(world.new_site("second").await);
    assert_eq!((told.status, told.code.as_str()), (403, "quota_exceeded"));
    assert!(told.detail.contains("“sites”") && told.detail.contains("1 of 1"), "{}", told.detail);
    world.allow(Quota::Sites, Wanted::Most(2)).await;
    let sites = world.quota(Quota::Sites).await;
    assert_eq!((sites.limit, sites.is_own), (Some(2), true));
    world.allow(Quota::Sites, Wanted::Word(Word::Unlimited)).await;
    assert_eq!(world.quota(Quota::Sites).await.limit, None);
    world.allow(Quota::Sites, Wanted::Word(Word::Default)).await;
    assert_eq!(world.quota(Quota::Sites).await.limit, Some(1));
    let bad = Change([(Quota::Cpu, Wanted::Most(-1))].into());
    assert_eq!(problem(set(&world.platform, &admin(), world.team, bad).await).errors[0].field, "cpu");
    let audited: i64 = sqlx::query_scalar("select count(*) from audit_entries where action = 'quota.change'")
        .fetch_one(&world.platform.pool)
        .await
        .unwrap();
    assert_eq!(audited, 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn deployments_of_a_day_are_counted_and_going_back_is_none(pool: PgPool) {
    let world = World::new(pool).await;
    world.allow(Quota::Deployments, Wanted::Most(2)).await;
    let first = world.deploy().await.unwrap();
    world.deploy().await.unwrap();
    let told = problem(world.deploy().await);
    assert_eq!(told.code, "quota_exceeded");
    assert!(told.detail.contains("2 of 2") && told.detail.contains("UTC"), "{}", told.detail);
    let mut conn = world.platform.pool.acquire().await.unwrap();
    assert!(obstacle(&world.platform, &mut conn, world.team).await.unwrap().is_some());
    sqlx::query("update deployments set created_at = now() - interval '25 hours' where id = $1")
        .bind(first)
        .execute(&mut *conn)
        .await
        .unwrap();
    assert_eq!(obstacle(&world.platform, &mut conn, world.team).await.unwrap(), None);
    sqlx::query("update deployments set from_release = gen_random_uuid()").execute(&mut *conn).await.unwrap();
    assert_eq!(world.quota(Quota::Deployments).await.used, 0, "what goes back builds nothing");
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_that_ask_at_once_do_not_both_get_the_last_one(pool: PgPool) {
    let world = World::new(pool).await;
    let (other, _) = testing::site(&world.platform, world.team, "other").await;
    world.allow(Quota::Deployments, Wanted::Most(1)).await;
    let ask = |site| deployments::create(&world.platform, &world.actor, site, NewDeployment::default());
    let (one, two) = tokio::join!(ask(world.site), ask(other));
    assert_eq!([one.is_ok(), two.is_ok()].into_iter().filter(|it| *it).count(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_release_starts_if_it_fits_beside_those_of_the_other_environments(pool: PgPool) {
    let world = World::new(pool).await;
    let (other, other_environment) = testing::site(&world.platform, world.team, "other").await;
    world.serves(other_environment, other, 600).await;
    world.serves(world.environment, world.site, 300).await;
    let memory = world.quota(Quota::Memory).await;
    assert_eq!((memory.used, world.quota(Quota::Cpu).await.used), (900 << 20, 1000));
    world.allow(Quota::Memory, Wanted::Most(1000 << 20)).await;

    let id = world.deploy().await.unwrap();
    let mut conn = world.platform.pool.acquire().await.unwrap();
    store::queue::claim(&mut conn, uuid::Uuid::now_v7(), 60.0, None).await.unwrap().unwrap();
    let row = store::deployments::by_id(&mut conn, &[world.team], id).await.unwrap().unwrap();
    let try_with = async |megabytes| {
        let plan = plan(world.team, world.site, world.environment, id, megabytes);
        reserve(&world.platform, &row, &plan).await
    };
    try_with(400).await.unwrap();
    assert_eq!(world.quota(Quota::Memory).await.used, 1000 << 20, "the larger of what serves and what starts");
    let told = problem(try_with(401).await);
    assert_eq!(told.code, "quota_exceeded");
    assert!(told.detail.contains("401 MB here beside 600 MB elsewhere of 1000 MB"), "{}", told.detail);
    world.allow(Quota::Cpu, Wanted::Most(999)).await;
    assert!(problem(try_with(1).await).detail.contains("CPU"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_disk_that_is_used_up_lets_nothing_new_be_built(pool: PgPool) {
    let world = World::new(pool).await;
    world.allow(Quota::Disk, Wanted::Most(1 << 20)).await;
    world.deploy().await.unwrap();
    let mut conn = world.platform.pool.acquire().await.unwrap();
    store::quotas::set_disk(&mut conn, world.team, 1 << 20).await.unwrap();
    assert_eq!(problem(world.deploy().await).code, "quota_exceeded");
    assert_eq!(problem(world.new_site("second").await).code, "quota_exceeded");
    let shown = world.quota(Quota::Disk).await;
    assert!(shown.used == 1 << 20 && shown.measured_at.is_some());
    disk::measure(&world.platform).await.unwrap();
    assert_eq!(world.quota(Quota::Disk).await.used, 0, "there is nothing on the disk");
    world.deploy().await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_site_goes_to_a_team_that_has_room_for_it_and_what_it_runs(pool: PgPool) {
    let mut world = World::new(pool).await;
    let naming = teams::Naming { name: "Acme".into() };
    let acme = teams::create(&world.platform, &world.actor, &naming).await.unwrap().team.id;
    world.actor = accounts::actor(&world.platform, world.actor.user.unwrap()).await.unwrap().unwrap();
    world.serves(world.environment, world.site, 300).await;
    let allow = async |quota, wanted| {
        set(&world.platform, &admin(), acme, Change([(quota, wanted)].into())).await.unwrap();
    };
    let give = || sites::transfer(&world.platform, &world.actor, world.site, sites::Transfer { team_id: acme });
    allow(Quota::Sites, Wanted::Most(0)).await;
    let told = problem(give().await);
    assert_eq!((told.status, told.code.as_str()), (403, "quota_exceeded"));
    allow(Quota::Sites, Wanted::Most(1)).await;
    allow(Quota::Memory, Wanted::Most(299 << 20)).await;
    let told = problem(give().await);
    assert!(told.detail.contains("300 MB here beside 0 MB elsewhere of 299 MB"), "{}", told.detail);
    allow(Quota::Memory, Wanted::Most(300 << 20)).await;
    give().await.unwrap();
    let all = get(&world.platform, &world.actor, acme).await.unwrap().items;
    let used = |quota| all.iter().find(|it| it.quota == quota).unwrap().used;
    assert_eq!((used(Quota::Sites), used(Quota::Memory)), (1, 300 << 20));
}

#[sqlx::test(migrations = "../../migrations")]
async fn members_see_their_quotas_and_administrators_alone_set_them(pool: PgPool) {
    let world = World::new(pool).await;
    let eve = accounts::register(&world.platform, registration("Eve")).await.unwrap();
    let eve = accounts::actor(&world.platform, eve.user.id).await.unwrap().unwrap();
    let member = |role| Actor { memberships: vec![(world.team, role)], ..world.actor.clone() };
    let token = |scope| Some(Grant { scopes: vec![scope], site: None });
    for (number, (actor, seen, set_by)) in [
        (member(Role::Owner), 200, 404),
        (member(Role::Viewer), 200, 404),
        (Actor { grant: token(Scope::SitesRead), ..member(Role::Owner) }, 200, 404),
        (eve, 404, 404),
        (Actor { grant: token(Scope::SitesWrite), ..admin() }, 404, 404),
        (admin(), 200, 200),
    ]
    .into_iter()
    .enumerate()
    {
        let status = |result: Result<TeamQuotasView>| match result {
            Ok(_) => 200,
            Err(crate::Error::Problem(problem)) => problem.status,
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(status(get(&world.platform, &actor, world.team).await), seen, "{number}");
        let change = Change([(Quota::Sites, Wanted::Most(9))].into());
        assert_eq!(status(set(&world.platform, &actor, world.team, change).await), set_by, "{number}");
    }
    let read: Change = serde_json::from_str(r#"{"sites": 3, "memory": "unlimited", "cpu": "default"}"#).unwrap();
    assert_eq!(read.0[&Quota::Memory], Wanted::Word(Word::Unlimited));
    assert!(serde_json::from_str::<Change>(r#"{"cats": 3}"#).is_err());
}
