//! What holds for invitations, on the real database.

use super::*;
use crate::{
    Signup, accounts, members, sites,
    testing::{PASSWORD, World, platform, problem, registration},
};
use model::views::InvitationState as State;
use sqlx::PgPool;

fn wanted(email: &str, role: Role) -> NewInvitation {
    NewInvitation { email: email.into(), role }
}

fn joining(name: &str) -> Joining {
    Joining { name: name.into(), password: PASSWORD.into() }
}

fn token(link: &str) -> &str {
    link.rsplit('/').next().unwrap()
}

/// What is in the mails that wait, the oldest first: recipient and text.
async fn mails(platform: &Platform) -> Vec<(String, String)> {
    let rows: Vec<(model::MailId, String, Vec<u8>)> =
        sqlx::query_as("select id, recipient, sealed from mails order by id").fetch_all(&platform.pool).await.unwrap();
    let text = |id: model::MailId, sealed: &[u8]| {
        let plain = platform.vault.open(&format!("mails/{id}"), sealed).unwrap();
        serde_json::from_slice::<Mail>(&plain).unwrap().text
    };
    rows.into_iter().map(|(id, to, sealed)| (to, text(id, &sealed))).collect()
}

/// The token of the link in a mail.
fn mailed(text: &str) -> &str {
    token(text.lines().find(|line| line.contains("/invitations/")).unwrap())
}

async fn account(platform: &Platform, name: &str) -> Actor {
    let user = accounts::register(platform, registration(name)).await.unwrap().user.id;
    accounts::actor(platform, user).await.unwrap().unwrap()
}

async fn hurry(platform: &Platform, what: &str) {
    sqlx::query(sqlx::AssertSqlSafe(format!("update invitations set {what}"))).execute(&platform.pool).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_invitation_is_mailed_looked_at_and_accepted_once_by_its_address_alone(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let (bob, eve) = (account(platform, "Bob").await, account(platform, "Eve").await);
    let made = create(platform, &world.actor, world.team, &wanted(" Bob@Example.org", Role::Developer)).await.unwrap();
    assert_eq!((made.invitation.email.as_str(), made.invitation.state), ("bob@example.org", State::Open));
    let (to, text) = mails(platform).await.pop().unwrap();
    assert_eq!(to, "bob@example.org");
    assert_ne!(mailed(&text), token(&made.link), "the mailed link is another one");

    for link in [token(&made.link), mailed(&text)] {
        let seen = look(platform, link).await.unwrap();
        assert_eq!((seen.team.as_deref(), seen.role, seen.state), (Some("Ada"), Some(Role::Developer), State::Open));
    }
    assert_eq!(problem(look(platform, "nothing").await).status, 404);
    assert_eq!(problem(accept(platform, &eve, mailed(&text)).await).code, "other_address");
    assert_eq!(problem(sites::get(platform, &bob, world.site).await).status, 404, "looking changes nothing");

    let accepted = accept(platform, &bob, mailed(&text)).await.unwrap();
    assert_eq!(accepted.team.unwrap().role, Some(Role::Developer));
    let bob = accounts::actor(platform, bob.user.unwrap()).await.unwrap().unwrap();
    assert!(sites::get(platform, &bob, world.site).await.is_ok());
    assert!(accounts::me(platform, &bob).await.unwrap().email_verified, "by the mailed link");
    for link in [token(&made.link), mailed(&text)] {
        assert_eq!(problem(accept(platform, &bob, link).await).code, "invitation_accepted");
        assert_eq!(problem(join(platform, &Actor::nobody(), link, &joining("Bob")).await).code, "invitation_accepted");
    }
    let again = problem(create(platform, &world.actor, world.team, &wanted("bob@example.org", Role::Viewer)).await);
    assert_eq!(again.code, "already_member");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_person_joins_where_nobody_else_may_register(pool: PgPool) {
    let platform = platform(pool, Signup::Invite);
    let ada = accounts::create_user(&platform, registration("Ada"), true).await.unwrap();
    let admin = accounts::actor(&platform, ada.user.id).await.unwrap().unwrap();
    assert_eq!(problem(accounts::register(&platform, registration("Bob")).await).code, "signup_closed");

    let made = create(&platform, &admin, ada.team.id, &wanted("bob@example.org", Role::Viewer)).await.unwrap();
    let weak = Joining { name: " ".into(), password: "short".into() };
    let refused = problem(join(&platform, &Actor::nobody(), token(&made.link), &weak).await);
    assert!(refused.field("name").is_some() && refused.field("password").is_some());
    let joined = join(&platform, &Actor::nobody(), token(&made.link), &joining("Bob")).await.unwrap();
    assert_eq!((joined.user.email.as_str(), joined.user.is_admin), ("bob@example.org", false));
    assert!(!joined.user.email_verified, "not by the link that the inviter saw");
    let bob = accounts::actor(&platform, joined.user.id).await.unwrap().unwrap();
    assert_eq!((bob.role_in(ada.team.id), bob.role_in(joined.team.id)), (Some(Role::Viewer), Some(Role::Owner)));

    let new = NewPlatformInvitation { email: "eve@example.org".into() };
    assert_eq!(problem(create_for_platform(&platform, &bob, &new).await).status, 403);
    let made = create_for_platform(&platform, &admin, &new).await.unwrap();
    assert_eq!((made.invitation.role, look(&platform, token(&made.link)).await.unwrap().team), (None, None));
    let text = mails(&platform).await.pop().unwrap().1;
    let eve = join(&platform, &Actor::nobody(), mailed(&text), &joining("Eve")).await.unwrap();
    assert!(eve.user.email_verified, "by the mailed link");
    assert_eq!(accounts::actor(&platform, eve.user.id).await.unwrap().unwrap().memberships.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn where_mail_is_sent_an_account_is_made_by_the_mailed_link_alone(pool: PgPool) {
    let mut world = World::new(pool).await;
    world.platform.settings.mail.transport = mail::Transport::Folder("/nonexistent/webmeteor-test".into());
    let platform = &world.platform;
    let bob = account(platform, "Bob").await;
    for (email, name) in [("bob@example.org", "Bob"), ("eve@example.org", "Eve")] {
        let made = create(platform, &world.actor, world.team, &wanted(email, Role::Viewer)).await.unwrap();
        let refused = problem(join(platform, &Actor::nobody(), token(&made.link), &joining(name)).await);
        assert_eq!(refused.code, "address_unproven", "whether there is an account or not");
        assert!(!look(platform, token(&made.link)).await.unwrap().may_join);
        if name == "Bob" {
            let refused = problem(accept(platform, &bob, token(&made.link)).await);
            assert_eq!(refused.code, "address_unproven", "an account from before mail was sent proves it no more");
            let text = mails(platform).await.pop().unwrap().1;
            accept(platform, &bob, mailed(&text)).await.unwrap();
            assert!(accounts::me(platform, &bob).await.unwrap().email_verified);
        }
    }
    let text = mails(platform).await.pop().unwrap().1;
    let eve = join(platform, &Actor::nobody(), mailed(&text), &joining("Eve")).await.unwrap();
    assert!(eve.user.email_verified);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_invitation_does_not_tell_whether_there_is_an_account(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    account(platform, "Bob").await;
    let mut told = Vec::new();
    for email in ["bob@example.org", "eve@example.org"] {
        let made = create(platform, &world.actor, world.team, &wanted(email, Role::Viewer)).await.unwrap();
        let seen = look(platform, token(&made.link)).await.unwrap();
        told.push((made.invitation.role, made.invitation.state, seen.team, seen.role, seen.state));
    }
    assert_eq!(told[0], told[1]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_address_is_mailed_few_invitations_however_often_it_is_invited(pool: PgPool) {
    let world = World::new(pool).await;
    let (platform, place) = (&world.platform, Place::Team(world.team));
    for _ in 0..8 {
        let made = create(platform, &world.actor, world.team, &wanted("bob@example.org", Role::Viewer)).await.unwrap();
        withdraw(platform, &world.actor, place, made.invitation.id).await.unwrap();
    }
    let of_others = account(platform, "Eve").await;
    let theirs = of_others.memberships[0].0;
    create(platform, &of_others, theirs, &wanted("bob@example.org", Role::Viewer)).await.unwrap();
    let sent = "select count(*) from mails where recipient = 'bob@example.org' and due_at is not null";
    let sent: i64 = sqlx::query_scalar(sent).fetch_one(&platform.pool).await.unwrap();
    assert_eq!(sent, MOST_IN_AN_HOUR);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_invitation_is_sent_again_and_withdrawn(pool: PgPool) {
    let world = World::new(pool).await;
    let (platform, place) = (&world.platform, Place::Team(world.team));
    let new = wanted("bob@example.org", Role::Viewer);
    let made = create(platform, &world.actor, world.team, &new).await.unwrap();
    let id = made.invitation.id;
    assert_eq!(problem(create(platform, &world.actor, world.team, &new).await).code, "already_invited");
    assert_eq!(problem(resend(platform, &world.actor, place, id).await).status, 429);

    hurry(platform, "sent_at = now() - interval '8 days', expires_at = now() - interval '1 day'").await;
    assert_eq!(
        problem(join(platform, &Actor::nobody(), token(&made.link), &joining("Bob")).await).code,
        "invitation_expired"
    );
    assert_eq!(resend(platform, &world.actor, place, id).await.unwrap().state, State::Open);
    let texts = mails(platform).await;
    assert_eq!(texts.len(), 2);
    assert_eq!(mailed(&texts[0].1), mailed(&texts[1].1), "a mail that came late is good too");
    assert_eq!(look(platform, token(&made.link)).await.unwrap().state, State::Open);

    assert_eq!(problem(withdraw(platform, &world.actor, Place::Platform, id).await).status, 403);
    withdraw(platform, &world.actor, place, id).await.unwrap();
    for link in [token(&made.link), mailed(&texts[0].1)] {
        assert_eq!(problem(join(platform, &Actor::nobody(), link, &joining("Bob")).await).code, "invitation_withdrawn");
    }
    assert_eq!(problem(resend(platform, &world.actor, place, id).await).code, "invitation_withdrawn");
    assert_eq!(problem(withdraw(platform, &world.actor, place, id).await).code, "invitation_withdrawn");
    create(platform, &world.actor, world.team, &new).await.unwrap();
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_expired_one_makes_room_for_another(pool: PgPool) {
    let world = World::new(pool).await;
    let new = wanted("bob@example.org", Role::Viewer);
    create(&world.platform, &world.actor, world.team, &new).await.unwrap();
    hurry(&world.platform, "expires_at = now()").await;
    create(&world.platform, &world.actor, world.team, &new).await.unwrap();
    let list = list(&world.platform, &world.actor, Place::Team(world.team)).await.unwrap();
    assert_eq!(list.iter().map(|it| it.state).collect::<Vec<_>>(), [State::Open, State::Withdrawn]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn who_may_not_invite_sees_no_invitations(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let bob = account(platform, "Bob").await.user.unwrap();
    let new = wanted("eve@example.org", Role::Owner);
    let id = create(platform, &world.actor, world.team, &new).await.unwrap().invitation.id;
    let place = Place::Team(world.team);
    let stranger = accounts::actor(platform, bob).await.unwrap().unwrap();
    assert_eq!(problem(list(platform, &stranger, place).await).status, 404);
    for role in [Role::Viewer, Role::Developer] {
        let mut conn = platform.pool.acquire().await.unwrap();
        store::teams::set_member(&mut conn, world.team, bob, role).await.unwrap();
        drop(conn);
        let actor = accounts::actor(platform, bob).await.unwrap().unwrap();
        assert_eq!(problem(list(platform, &actor, place).await).status, 403);
        assert_eq!(
            problem(create(platform, &actor, world.team, &wanted("x@example.org", Role::Viewer)).await).status,
            403
        );
        assert_eq!(problem(withdraw(platform, &actor, place, id).await).status, 403);
    }
    let mut conn = platform.pool.acquire().await.unwrap();
    store::teams::set_member(&mut conn, world.team, bob, Role::Admin).await.unwrap();
    drop(conn);
    let admin = accounts::actor(platform, bob).await.unwrap().unwrap();
    assert_eq!(problem(create(platform, &admin, world.team, &wanted("x@example.org", Role::Owner)).await).status, 403);
    assert_eq!(list(platform, &admin, place).await.unwrap().len(), 1);
    assert_eq!(members::list(platform, &admin, world.team).await.unwrap().len(), 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn no_link_can_be_read_in_the_database(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let made = create(platform, &world.actor, world.team, &wanted("bob@example.org", Role::Viewer)).await.unwrap();
    let text = mails(platform).await.pop().unwrap().1;
    let mut stored = String::new();
    for table in ["invitations", "mails", "audit_entries"] {
        let sql = format!("select coalesce(string_agg(t::text, ' '), '') from {table} t");
        stored += &sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql)).fetch_one(&platform.pool).await.unwrap();
    }
    for secret in [token(&made.link), mailed(&text)] {
        assert!(!stored.contains(secret) && !stored.contains(&hex::encode(secret)));
    }
    let refused = problem(
        join(platform, &Actor::nobody(), token(&made.link), &Joining { name: "Ada".into(), password: "short".into() })
            .await,
    );
    assert_eq!(refused.status, 422);
    assert!(!format!("{:?}", joining("Bob")).contains(PASSWORD));
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_two_who_accept_at_once_one_does(pool: PgPool) {
    let world = World::new(pool).await;
    let platform = &world.platform;
    let made = create(platform, &world.actor, world.team, &wanted("bob@example.org", Role::Viewer)).await.unwrap();
    let (nobody, one, two) = (Actor::nobody(), joining("Bob"), joining("Bobby"));
    let (one, two) = tokio::join!(
        join(platform, &nobody, token(&made.link), &one),
        join(platform, &nobody, token(&made.link), &two)
    );
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(problem(lost).code, "invitation_accepted");
}
