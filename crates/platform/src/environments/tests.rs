//! What holds for environments, and for applying releases in them, on the real database.

use super::*;
use crate::{
    deployments::{self, Promotion, Rollback, Variables},
    testing::{World, problem},
    variables::NewVariable,
};
use model::{
    DeploymentId, ReleaseId, Role,
    deployment::{Status, Trigger},
    plan::{NetworkPlan, ReleasePlan},
    views::DeploymentView,
};
use sqlx::PgPool;
use std::{collections::BTreeMap, net::Ipv4Addr};

fn new(name: &str, branch: &str) -> NewEnvironment {
    NewEnvironment { name: name.into(), branch: branch.into(), ..NewEnvironment::default() }
}

impl World {
    async fn make(&self, new: NewEnvironment) -> Result<EnvironmentView> {
        create(&self.platform, &self.actor, self.site, new).await
    }

    async fn set(&self, name: &str, new: Change) -> Result<EnvironmentView> {
        change(&self.platform, &self.actor, self.site, name, new).await
    }

    async fn row(&self, name: &str) -> EnvironmentRow {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        store::environments::by_name(&mut conn, self.team, self.site, name).await.unwrap().unwrap()
    }

    async fn variable(&self, environment: &str, name: &str, value: &str, secret: bool) -> i64 {
        let new = NewVariable { name: name.into(), value: Some(value.into()), secret };
        variables::put(&self.platform, &self.actor, self.site, environment, new).await.unwrap().version
    }

    /// A deployment that went live with the newest variables, and left the release that serves.
    async fn live(&self, environment: &str) -> DeploymentId {
        let row = self.row(environment).await;
        let mut conn = self.platform.pool.acquire().await.unwrap();
        let (id, release) = (DeploymentId::new(), ReleaseId::new());
        let queued = store::deployments::NewDeployment {
            id,
            team: self.team,
            site: self.site,
            environment: row.id,
            trigger: Trigger::Manual,
            triggered_by: None,
            branch: Some(&row.branch),
            commit: None,
            message: None,
            author: None,
            from_release: None,
            variables_version: None,
            reason: None,
        };
        store::deployments::insert(&mut conn, &queued).await.unwrap();
        sqlx::query("update deployments set status = 'live' where id = $1").bind(id).execute(&mut *conn).await.unwrap();
        let plan = ReleasePlan {
            team: self.team,
            site: self.site,
            environment: row.id,
            deployment: id,
            project: "ada-shop".into(),
            hosts: vec![],
            domain: None,
            network: NetworkPlan { name: "n".into(), base: Ipv4Addr::new(10, 64, 0, 0), prefix: 27 },
            containers: vec![],
            volumes: BTreeMap::new(),
        };
        store::releases::insert(&mut conn, self.team, release, row.id, id, &plan, row.variables_version).await.unwrap();
        store::environments::set_current(&mut conn, self.team, row.id, release).await.unwrap();
        id
    }

    async fn back(&self, id: DeploymentId, variables: Variables) -> Result<DeploymentView> {
        deployments::rollback(&self.platform, &self.actor, id, Rollback { variables }).await
    }

    async fn promote(&self, id: DeploymentId, environment: &str) -> Result<DeploymentView> {
        let to = Promotion { environment: environment.into() };
        deployments::promote(&self.platform, &self.actor, id, to).await
    }

    /// The version that a deployment is to run with.
    async fn version(&self, view: &DeploymentView) -> Option<i64> {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        store::deployments::by_id(&mut conn, &[self.team], view.summary.id).await.unwrap().unwrap().variables_version
    }

    async fn end(&self, view: &DeploymentView) {
        deployments::cancel(&self.platform, &self.actor, view.summary.id).await.unwrap();
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_environment_has_a_host_a_network_and_secrets_of_its_own(pool: PgPool) {
    let world = World::new(pool).await;
    let made = world.make(new("staging", "develop")).await.unwrap();
    assert_eq!((made.url.as_str(), made.branch.as_str()), ("http://shop-staging.localhost:8888", "develop"));
    let (production, staging) = (world.row("production").await, world.row("staging").await);
    assert_ne!(production.subnet_index, staging.subnet_index);
    let open = |row: &EnvironmentRow| world.platform.vault.open(&environment_row(row.id), &row.secrets).unwrap();
    assert_ne!(open(&production), open(&staging));
    let listed = list(&world.platform, &world.actor, world.site).await.unwrap().items;
    assert_eq!(listed.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["production", "staging"]);
    assert_eq!(listed[1], get(&world.platform, &world.actor, world.site, "staging").await.unwrap());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_name_is_taken_once_and_a_host_by_one_of_all_sites(pool: PgPool) {
    let world = World::new(pool).await;
    world.make(new("staging", "develop")).await.unwrap();
    assert_eq!(problem(world.make(new("staging", "x")).await).code, "environment_exists");
    let free = crate::sites::check_slug(&world.platform, &world.actor, "shop-staging").await.unwrap();
    assert!(!free.available, "{free:?}");
    let mut conn = world.platform.pool.acquire().await.unwrap();
    let other = store::sites::NewSite {
        id: SiteId::new(),
        team: world.team,
        slug: "shop-test",
        name: "x",
        source: &model::site::Source::Hosted {},
        webhook_secret: b"",
        repository_token: None,
    };
    store::sites::insert(&mut conn, &other).await.unwrap();
    assert_eq!(problem(world.make(new("test", "x")).await).code, "host_taken");
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_wrong_field_is_told_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let wrong = NewEnvironment {
        root: Some("../x".into()),
        watch: Some(vec!["a[".into()]),
        copy_variables_from: Some("nowhere".into()),
        ..new("No Name", "-x")
    };
    let told = problem(world.make(wrong).await);
    let fields: Vec<&str> = told.errors.iter().map(|e| e.field.as_str()).collect();
    assert_eq!((told.status, fields), (422, vec!["name", "branch", "root", "watch", "copy_variables_from"]));
    let told = problem(world.set("production", Change { root: Some("a//b".into()), ..Change::default() }).await);
    assert_eq!(told.errors[0].field, "root");
}

#[sqlx::test(migrations = "../../migrations")]
async fn variables_are_copied_and_secrets_only_when_asked_for(pool: PgPool) {
    let world = World::new(pool).await;
    world.variable("production", "MODE", "fast", false).await;
    world.variable("production", "KEY", "hush-hush", true).await;
    for (name, copy_secrets, expected) in [("one", false, vec!["MODE"]), ("two", true, vec!["KEY", "MODE"])] {
        let wanted =
            NewEnvironment { copy_variables_from: Some("production".into()), copy_secrets, ..new(name, "main") };
        world.make(wanted).await.unwrap();
        let row = world.row(name).await;
        let mut conn = world.platform.pool.acquire().await.unwrap();
        let set = variables::open(&world.platform, &mut conn, &row, row.variables_version).await.unwrap();
        assert_eq!(set.keys().map(AsRef::as_ref).collect::<Vec<&str>>(), expected);
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_changed_is_changed_and_the_rest_stays(pool: PgPool) {
    let world = World::new(pool).await;
    let watch = Some(vec![" apps/web ".into(), String::new()]);
    world.set("production", Change { watch, root: Some("/apps/web".into()), ..Change::default() }).await.unwrap();
    let view = world.set("production", Change { paused: Some(true), ..Change::default() }).await.unwrap();
    assert_eq!((view.root.as_str(), view.watch, view.branch.as_str()), ("apps/web", vec!["apps/web".into()], "main"));
    assert!(view.paused);
    let since = world.row("production").await.paused_at;
    world.set("production", Change { paused: Some(true), ..Change::default() }).await.unwrap();
    assert_eq!(world.row("production").await.paused_at, since);
    assert!(!world.set("production", Change { paused: Some(false), ..Change::default() }).await.unwrap().paused);
}

#[sqlx::test(migrations = "../../migrations")]
async fn rolling_back_takes_the_variables_of_then_or_of_today(pool: PgPool) {
    let world = World::new(pool).await;
    let then = world.variable("production", "A", "1", false).await;
    let first = world.live("production").await;
    let now = world.variable("production", "A", "2", false).await;
    let second = world.live("production").await;
    let shown = deployments::get(&world.platform, &world.actor, first).await.unwrap().release.unwrap();
    assert_eq!((shown.variables_version, shown.saved_variables_version), (then, now));

    for (variables, version) in [(Variables::Then, then), (Variables::Now, now)] {
        let back = world.back(first, variables).await.unwrap();
        assert_eq!((back.summary.trigger, world.version(&back).await), (Trigger::Rollback, Some(version)));
        assert_eq!(problem(world.back(first, variables).await).code, "already_under_way");
        world.end(&back).await;
    }
    for variables in [Variables::Then, Variables::Now] {
        assert_eq!(problem(world.back(second, variables).await).code, "already_current");
    }
    let newest = world.variable("production", "A", "3", false).await;
    let again = world.back(second, Variables::Now).await.unwrap();
    assert_eq!((again.summary.trigger, world.version(&again).await), (Trigger::Manual, Some(newest)));

    let mut conn = world.platform.pool.acquire().await.unwrap();
    let release = store::releases::of_deployment(&mut conn, world.team, first).await.unwrap().unwrap();
    store::releases::remove(&mut conn, world.team, release.id).await.unwrap();
    assert_eq!(problem(world.back(first, Variables::Then).await).code, "release_gone");
    assert_eq!(problem(world.promote(first, "production").await).code, "same_environment");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_release_is_promoted_with_the_targets_own_variables_and_not_where_it_must_not(pool: PgPool) {
    let world = World::new(pool).await;
    world.make(new("staging", "develop")).await.unwrap();
    let own = world.variable("production", "A", "1", false).await;
    world.variable("staging", "A", "2", false).await;
    world.variable("staging", "A", "3", false).await;
    let tried = world.live("staging").await;
    let shown = deployments::get(&world.platform, &world.actor, tried).await.unwrap().release.unwrap();
    assert_eq!(shown.promotable_to, ["production"]);

    let promoted = world.promote(tried, "production").await.unwrap();
    assert_eq!((promoted.summary.environment.as_str(), promoted.summary.trigger), ("production", Trigger::Promote));
    assert_eq!(world.version(&promoted).await, Some(own));
    assert_eq!(problem(world.promote(tried, "production").await).code, "already_under_way");
    let mut conn = world.platform.pool.acquire().await.unwrap();
    let release = store::releases::of_deployment(&mut conn, world.team, tried).await.unwrap().unwrap();
    store::releases::remove(&mut conn, world.team, release.id).await.unwrap();
    let kept = store::releases::by_id(&mut conn, world.team, release.id).await.unwrap();
    assert!(kept.is_some(), "what is about to be applied is not forgotten");
    drop(conn);
    world.end(&promoted).await;

    assert_eq!(problem(world.promote(tried, "staging").await).code, "same_environment");
    let nowhere = problem(world.promote(tried, "nowhere").await);
    assert_eq!((nowhere.status, nowhere.errors[0].field.as_str()), (422, "environment"));
    world.set("production", Change { paused: Some(true), ..Change::default() }).await.unwrap();
    assert_eq!(problem(world.promote(tried, "production").await).code, "environment_paused");
    let shown = deployments::get(&world.platform, &world.actor, tried).await.unwrap().release.unwrap();
    assert!(shown.promotable_to.is_empty());
}

#[sqlx::test(migrations = "../../migrations")]
async fn nothing_new_goes_into_a_paused_environment_and_the_way_back_stays_open(pool: PgPool) {
    let world = World::new(pool).await;
    let first = world.live("production").await;
    world.live("production").await;
    world.set("production", Change { paused: Some(true), ..Change::default() }).await.unwrap();
    let by_hand = deployments::NewDeployment::default();
    let (platform, actor) = (&world.platform, &world.actor);
    assert_eq!(problem(deployments::create(platform, actor, world.site, by_hand).await).code, "environment_paused");
    assert_eq!(problem(deployments::redeploy(platform, actor, first).await).code, "environment_paused");
    assert_eq!(world.back(first, Variables::Then).await.unwrap().summary.status, Status::Queued);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_environment_that_is_being_removed_takes_nothing_more(pool: PgPool) {
    let world = World::new(pool).await;
    world.make(new("staging", "main")).await.unwrap();
    let live = world.live("staging").await;
    let (platform, actor, site) = (&world.platform, &world.actor, world.site);
    let by_hand = || deployments::NewDeployment { environment: Some("staging".into()), commit: None };
    let waiting = deployments::create(platform, actor, site, by_hand()).await.unwrap();
    assert_eq!(problem(delete(platform, actor, site, "production", false).await).code, "production_stays");
    delete(platform, actor, site, "staging", true).await.unwrap();

    assert_eq!(problem(delete(platform, actor, site, "staging", true).await).code, "environment_deleting");
    assert_eq!(problem(deployments::create(platform, actor, site, by_hand()).await).code, "environment_deleting");
    assert_eq!(problem(deployments::redeploy(platform, actor, live).await).code, "environment_deleting");
    assert_eq!(problem(world.back(live, Variables::Then).await).code, "environment_deleting");
    assert_eq!(problem(world.promote(live, "production").await).code, "environment_deleting");
    assert_eq!(problem(world.set("staging", Change::default()).await).code, "environment_deleting");
    assert_eq!(problem(world.make(new("staging", "main")).await).code, "environment_exists");
    let view = deployments::get(platform, actor, waiting.summary.id).await.unwrap();
    assert_eq!(view.summary.status, Status::Cancelled);
    let mut conn = world.platform.pool.acquire().await.unwrap();
    let due = store::environments::to_remove(&mut conn).await.unwrap();
    assert_eq!((due.len(), due[0].name.as_str(), due[0].delete_data), (1, "staging", Some(false)));
    store::environments::remove(&mut conn, world.team, due[0].id).await.unwrap();
    assert_eq!(problem(get(platform, actor, site, "staging").await).status, 404);
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_only_read_changes_nothing_and_a_stranger_sees_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    world.make(new("staging", "main")).await.unwrap();
    let live = world.live("staging").await;
    let reader = Actor { memberships: vec![(world.team, Role::Viewer)], ..Actor::platform(world.team) };
    let stranger = Actor { memberships: vec![], ..reader.clone() };
    let (platform, site) = (&world.platform, world.site);
    assert_eq!(list(platform, &reader, site).await.unwrap().items.len(), 2);
    assert!(!deployments::get(platform, &reader, live).await.unwrap().may_write);
    assert_eq!(problem(list(platform, &stranger, site).await).status, 404);
    for (actor, status) in [(&reader, 403), (&stranger, 404)] {
        assert_eq!(problem(create(platform, actor, site, new("test", "main")).await).status, status);
        assert_eq!(problem(change(platform, actor, site, "staging", Change::default()).await).status, status);
        assert_eq!(problem(delete(platform, actor, site, "staging", true).await).status, status);
        let to = Promotion { environment: "production".into() };
        assert_eq!(problem(deployments::promote(platform, actor, live, to).await).status, status);
        let back = deployments::rollback(platform, actor, live, Rollback::default()).await;
        assert_eq!(problem(back).status, status);
    }
}
