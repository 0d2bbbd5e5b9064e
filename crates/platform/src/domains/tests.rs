//! What holds for domains, on the real database and with a DNS server of the tests' own.

use super::*;
use crate::{
    accounts, environments, sites,
    testing::{World, dns::DnsServer, problem, registration, site},
};
use model::{
    Grant, Role,
    views::{CertificateState, VerificationState},
};
use sqlx::PgPool;
use std::time::Duration;

const HOST: &str = "shop.example.org";
const PROOF: &str = "_webmeteor.shop.example.org";

async fn world(pool: PgPool) -> (World, DnsServer) {
    let (mut world, dns) = (World::new(pool).await, DnsServer::start().await);
    world.platform.settings.dns_server = Some(dns.address);
    (world, dns)
}

fn to(host: &str, environment: Option<&str>) -> NewDomain {
    NewDomain { host: host.into(), environment: environment.map(str::to_owned) }
}

impl World {
    async fn add(&self, host: &str) -> DomainView {
        create(&self.platform, &self.actor, self.site, to(host, None)).await.unwrap()
    }

    async fn refused(&self, new: NewDomain) -> Problem {
        problem(create(&self.platform, &self.actor, self.site, new).await)
    }

    async fn check(&self, id: DomainId) -> DomainView {
        verify(&self.platform, &self.actor, self.site, id).await.unwrap()
    }

    async fn verified(&self, dns: &DnsServer, host: &str) -> DomainView {
        let made = self.add(host).await;
        dns.set(&made.verification.record.name, &[&made.verification.record.value]);
        self.check(made.id).await
    }

    async fn leading(&self) -> Vec<String> {
        let mut conn = self.platform.pool.acquire().await.unwrap();
        store::domains::leading(&mut conn, self.team, self.environment).await.unwrap()
    }

    async fn audited(&self) -> Vec<String> {
        let asked = sqlx::query_scalar("select action || ' ' || target_name from audit_entries order by id");
        asked.fetch_all(&self.platform.pool).await.unwrap()
    }

    fn as_role(&self, role: Role) -> Actor {
        Actor { memberships: vec![(self.team, role)], ..self.actor.clone() }
    }
}

/// Another team with a site of its own, on the same platform.
async fn stranger(world: &World) -> (Actor, SiteId) {
    let eve = accounts::register(&world.platform, registration("Eve")).await.unwrap();
    let (site, _) = site(&world.platform, eve.team.id, "other").await;
    (accounts::actor(&world.platform, eve.user.id).await.unwrap().unwrap(), site)
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_domain_leads_nowhere_until_its_record_is_there(pool: PgPool) {
    let (world, dns) = world(pool).await;
    let made = world.add(" Shop.Example.org. ").await;
    assert_eq!((made.host.as_str(), made.environment.as_str(), made.primary), (HOST, "production", false));
    assert_eq!(made.verification.state, VerificationState::Pending);
    assert_eq!((made.verification.checked_at, &made.verification.problem), (None, &None));
    assert_eq!(made.certificate.state, CertificateState::None);
    let record = &made.verification.record;
    assert_eq!((record.kind.as_str(), record.name.as_str()), ("TXT", PROOF));
    assert!(record.value.starts_with("webmeteor-verification=") && record.value.len() > 40, "{}", record.value);

    let seen = world.check(made.id).await;
    assert_eq!(seen.verification.state, VerificationState::Pending);
    assert!(seen.verification.problem.as_ref().unwrap().contains(PROOF), "{seen:?}");
    assert!(world.leading().await.is_empty());

    dns.set(PROOF, &["v=spf1 -all", "webmeteor-verification=of-somebody-else"]);
    let seen = world.check(made.id).await;
    assert!(seen.verification.problem.as_ref().unwrap().contains("v=spf1"), "{seen:?}");
    assert!(world.leading().await.is_empty());

    dns.set(PROOF, &["v=spf1 -all", &record.value]);
    let seen = world.check(made.id).await;
    assert_eq!((seen.verification.state, &seen.verification.problem), (VerificationState::Verified, &None));
    assert!(seen.verification.checked_at.is_some());
    assert_eq!(world.leading().await, [HOST]);
    assert_eq!(list(&world.platform, &world.actor, world.site).await.unwrap().items, [seen]);

    delete(&world.platform, &world.actor, world.site, made.id).await.unwrap();
    assert!(world.leading().await.is_empty());
    assert_eq!(problem(verify(&world.platform, &world.actor, world.site, made.id).await).status, 404);
    let audited: Vec<_> = ["create", "verify", "delete"].map(|verb| format!("domain.{verb} {HOST}")).into();
    assert_eq!(world.audited().await.split_off(world.audited().await.len() - 3), audited);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_record_that_is_gone_is_told_and_takes_nothing_away(pool: PgPool) {
    let (world, dns) = world(pool).await;
    let made = world.verified(&dns, HOST).await;
    dns.set(PROOF, &[]);
    let seen = world.check(made.id).await;
    assert_eq!(seen.verification.state, VerificationState::RecordMissing);
    assert!(seen.verification.problem.unwrap().contains("still leads here"));
    assert_eq!(world.leading().await, [HOST]);
    dns.set(PROOF, &[&made.verification.record.value]);
    assert_eq!(world.check(made.id).await.verification.state, VerificationState::Verified);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_dns_that_does_not_answer_changes_nothing(pool: PgPool) {
    let (mut world, dns) = world(pool).await;
    let made = world.verified(&dns, HOST).await;
    // Nobody listens there.
    let closed = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.platform.settings.dns_server = Some(closed);
    let seen = world.check(made.id).await;
    assert_eq!(seen.verification.state, VerificationState::Verified);
    assert!(seen.verification.problem.unwrap().contains("did not answer"));
    assert_eq!(world.leading().await, [HOST]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn several_teams_may_claim_a_name_and_one_holds_it(pool: PgPool) {
    let (world, dns) = world(pool).await;
    let (eve, elsewhere) = stranger(&world).await;
    let theirs = create(&world.platform, &eve, elsewhere, to(HOST, None)).await.unwrap();
    let ours = world.add(HOST).await;
    assert_ne!(theirs.verification.record.value, ours.verification.record.value);
    dns.set(PROOF, &[&ours.verification.record.value]);
    let seen = verify(&world.platform, &eve, elsewhere, theirs.id).await.unwrap();
    assert_eq!(seen.verification.state, VerificationState::Pending, "our proof is none of theirs");
    assert_eq!(world.check(ours.id).await.verification.state, VerificationState::Verified);
    dns.set(PROOF, &[&ours.verification.record.value, &theirs.verification.record.value]);
    let seen = verify(&world.platform, &eve, elsewhere, theirs.id).await.unwrap();
    assert_eq!(seen.verification.state, VerificationState::Pending);
    assert!(seen.verification.problem.unwrap().contains("another site"));
    for id in [ours.id, theirs.id] {
        let there = problem(delete(&world.platform, &eve, world.site, id).await);
        assert_eq!(there.status, 404);
    }
    assert_eq!(problem(delete(&world.platform, &eve, elsewhere, ours.id).await).status, 404, "it is of another site");
    delete(&world.platform, &world.actor, world.site, ours.id).await.unwrap();
    let seen = verify(&world.platform, &eve, elsewhere, theirs.id).await.unwrap();
    assert_eq!(seen.verification.state, VerificationState::Verified, "it is free now");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_cannot_be_a_domain_here_is_refused_with_the_reason(pool: PgPool) {
    let (mut world, _dns) = world(pool).await;
    world.platform.settings.public_url = "https://paas.example.org".into();
    for (host, code) in [
        ("", "host"),
        ("*.example.org", "wildcard"),
        ("192.0.2.1", "address"),
        ("shop.localhost", "sites_domain"),
        ("other.localhost", "sites_domain"),
        ("paas.example.org", "dashboard"),
    ] {
        let told = world.refused(to(host, None)).await;
        assert_eq!((told.status, told.errors[0].code.as_str(), told.errors[0].field.as_str()), (422, code, "host"));
    }
    assert_eq!(world.refused(to(HOST, Some("nowhere"))).await.errors[0].field, "environment");
    world.add(HOST).await;
    let told = world.refused(to(HOST, None)).await;
    assert_eq!((told.status, told.code.as_str()), (409, "domain_exists"));
    assert!(told.field("host").is_some());

    sqlx::query("update environments set is_preview = true where id = $1")
        .bind(world.environment)
        .execute(&world.platform.pool)
        .await
        .unwrap();
    assert_eq!(world.refused(to("a.example.org", None)).await.code, "environment_is_preview");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_primary_domain_is_the_link_and_there_is_one_of_each_environment(pool: PgPool) {
    let (world, dns) = world(pool).await;
    let primary = async |id, primary| {
        let to = Change { primary: Some(primary) };
        change(&world.platform, &world.actor, world.site, id, to).await
    };
    let waiting = world.add("later.example.org").await;
    assert_eq!(problem(primary(waiting.id, true).await).code, "domain_not_verified");
    let (one, two) = (world.verified(&dns, HOST).await, world.verified(&dns, "bücher.example").await);
    assert_eq!((two.host.as_str(), two.name.as_str()), ("xn--bcher-kva.example", "bücher.example"));
    let url = async || {
        let environment = environments::get(&world.platform, &world.actor, world.site, "production").await.unwrap();
        let site = sites::get(&world.platform, &world.actor, world.site).await.unwrap();
        let listed = sites::list(&world.platform, &world.actor, 10, None).await.unwrap().items.remove(0);
        assert_eq!((&environment.url, &environment.url), (&site.url, &listed.url));
        assert_eq!(environment.host, "shop.localhost");
        environment.url
    };
    assert_eq!(url().await, "http://shop.localhost:8888");
    assert!(primary(one.id, true).await.unwrap().primary);
    assert_eq!(url().await, "http://shop.example.org:8888");
    assert!(primary(two.id, true).await.unwrap().primary);
    assert_eq!(url().await, "http://xn--bcher-kva.example:8888");
    let listed = list(&world.platform, &world.actor, world.site).await.unwrap().items;
    assert_eq!(listed.iter().filter(|it| it.primary).map(|it| it.id).collect::<Vec<_>>(), [two.id]);
    assert!(!primary(two.id, false).await.unwrap().primary);
    assert_eq!(url().await, "http://shop.localhost:8888");
    primary(one.id, true).await.unwrap();
    delete(&world.platform, &world.actor, world.site, one.id).await.unwrap();
    assert_eq!(url().await, "http://shop.localhost:8888");
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_write_changes_domains_and_the_others_look(pool: PgPool) {
    let (world, dns) = world(pool).await;
    let (eve, _) = stranger(&world).await;
    let token = |scope| Actor { grant: Some(Grant { scopes: vec![scope], site: None }), ..world.actor.clone() };
    for (number, (actor, seen, done)) in [
        (world.as_role(Role::Owner), 200, 200),
        (world.as_role(Role::Admin), 200, 200),
        (world.as_role(Role::Developer), 200, 200),
        (world.as_role(Role::Viewer), 200, 403),
        (token(Scope::SitesWrite), 200, 200),
        (token(Scope::Deploy), 200, 403),
        (token(Scope::Metrics), 403, 403),
        (eve, 404, 404),
        (Actor::nobody(), 404, 404),
    ]
    .into_iter()
    .enumerate()
    {
        let status = |result: Result<()>| match result {
            Ok(()) => 200,
            Err(crate::Error::Problem(problem)) => problem.status,
            Err(other) => panic!("{other:?}"),
        };
        let there = world.verified(&dns, &format!("a{number}.example.org")).await.id;
        let (platform, site) = (&world.platform, world.site);
        let host = format!("b{number}.example.org");
        assert_eq!(status(list(platform, &actor, site).await.map(drop)), seen, "{number}");
        assert_eq!(status(create(platform, &actor, site, to(&host, None)).await.map(drop)), done, "{number}");
        assert_eq!(status(verify(platform, &actor, site, there).await.map(drop)), done, "{number}");
        let primary = Change { primary: Some(true) };
        assert_eq!(status(change(platform, &actor, site, there, primary).await.map(drop)), done, "{number}");
        assert_eq!(status(delete(platform, &actor, site, there).await), done, "{number}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_background_looks_when_it_is_time_and_waits_longer_each_time(pool: PgPool) {
    let (world, dns) = world(pool).await;
    let made = world.add(HOST).await;
    let mut now = OffsetDateTime::now_utc();
    check::look_after_all(&world.platform, now).await.unwrap();
    assert_eq!(dns.asked(), 0, "it is given some time first");
    let mut pauses = vec![];
    for _ in 0..4 {
        now += Duration::from_hours(12);
        check::look_after_all(&world.platform, now).await.unwrap();
        let shown = list(&world.platform, &world.actor, world.site).await.unwrap().items.remove(0);
        pauses.push((shown.verification.next_check_at - now).whole_seconds());
    }
    assert!(pauses.windows(2).all(|two| two[0] < two[1]), "{pauses:?}");
    assert_eq!(dns.asked(), 4);
    dns.set(PROOF, &[&made.verification.record.value]);
    now += Duration::from_hours(12);
    check::look_after_all(&world.platform, now).await.unwrap();
    assert_eq!(world.leading().await, [HOST]);
    check::look_after_all(&world.platform, now + Duration::from_hours(23)).await.unwrap();
    assert_eq!(dns.asked(), 5, "one that is verified is looked at once a day");
    let who: String = sqlx::query_scalar("select actor_name from audit_entries where action = 'domain.verify'")
        .fetch_one(&world.platform.pool)
        .await
        .unwrap();
    assert_eq!(who, "WebMeteor");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_records_that_lead_here_are_a_name_and_the_machines_addresses(pool: PgPool) {
    let (mut world, _dns) = world(pool).await;
    world.platform.settings.public_addresses = vec!["192.0.2.7".parse().unwrap(), "2001:db8::7".parse().unwrap()];
    let made = world.add("example.org").await;
    let routing: Vec<_> = made.routing.iter().map(|it| (&*it.kind, &*it.name, &*it.value)).collect();
    let name = "example.org";
    assert_eq!(routing, [("CNAME", name, "shop.localhost"), ("A", name, "192.0.2.7"), ("AAAA", name, "2001:db8::7")]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_being_removed_gets_no_domains_and_frees_those_it_had(pool: PgPool) {
    let (world, dns) = world(pool).await;
    world.verified(&dns, HOST).await;
    let waiting = world.add("later.example.org").await;
    sites::delete(&world.platform, &world.actor, world.site, false).await.unwrap();
    assert_eq!(world.refused(to("a.example.org", None)).await.code, "site_deleting");
    assert_eq!(problem(verify(&world.platform, &world.actor, world.site, waiting.id).await).code, "site_deleting");
    let mut conn = world.platform.pool.acquire().await.unwrap();
    store::sites::remove(&mut conn, world.team, world.site).await.unwrap();
    let (eve, elsewhere) = stranger(&world).await;
    let theirs = create(&world.platform, &eve, elsewhere, to(HOST, None)).await.unwrap();
    dns.set(PROOF, &[&theirs.verification.record.value]);
    let seen = verify(&world.platform, &eve, elsewhere, theirs.id).await.unwrap();
    assert_eq!(seen.verification.state, VerificationState::Verified);
}
