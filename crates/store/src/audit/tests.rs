//! What holds for the audit: nothing is changed, everything is found, and finding stays cheap.

use super::*;
use serde_json::json;
use sqlx::PgPool;

#[sqlx::test(migrations = "../../migrations")]
async fn an_entry_can_be_neither_changed_nor_removed(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let after = json!({"name": "Shop"});
    let new = NewEntry {
        team: Some(TeamId::new()),
        actor: None,
        action: "site.create",
        target_kind: "site",
        target_id: "1",
        target_name: "Shop",
        before: None,
        after: Some(&after),
        address: Some("2001:db8::1".parse().unwrap()),
        token: None,
    };
    insert(&mut conn, &new).await.unwrap();
    for change in ["update audit_entries set action = 'x'", "delete from audit_entries", "truncate audit_entries"] {
        assert!(sqlx::query(change).execute(&mut *conn).await.is_err(), "{change}");
    }
    let (name, count): (String, i64) =
        sqlx::query_as("select max(actor_name), count(*) from audit_entries").fetch_one(&mut *conn).await.unwrap();
    assert_eq!((name.as_str(), count), ("WebMeteor", 1));
}

async fn add(conn: &mut PgConnection, team: Option<TeamId>, actor: Option<UserId>, action: &str, target: &str) {
    let kind = action.split('.').next().unwrap();
    let new = NewEntry {
        team,
        actor,
        action,
        target_kind: kind,
        target_id: target,
        target_name: "Shop",
        before: None,
        after: None,
        address: None,
        token: None,
    };
    insert(conn, &new).await.unwrap();
}

fn actions(rows: &[AuditRow]) -> Vec<&str> {
    rows.iter().map(|row| row.action.as_str()).collect()
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_team_finds_its_own_entries_and_an_account_what_it_did(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (ours, theirs) = (Some(TeamId::new()), Some(TeamId::new()));
    let (ada, bob) = (UserId::new(), UserId::new());
    add(&mut conn, ours, Some(ada), "site.create", "1").await;
    add(&mut conn, ours, None, "site.delete", "1").await;
    add(&mut conn, theirs, Some(ada), "site.create", "2").await;
    add(&mut conn, theirs, Some(bob), "variables.change", "2").await;
    add(&mut conn, None, Some(bob), "account.reset_password", &ada.to_string()).await;
    add(&mut conn, None, Some(ada), "account.rename", &ada.to_string()).await;
    let mut list = async |whose, filter: Filter| list(&mut conn, whose, &filter, None, 10).await.unwrap();
    let all = list(Whose::Everybody, Filter::default()).await;
    assert_eq!(all.len(), 6);
    assert_eq!(actions(&list(Whose::Team(ours.unwrap()), Filter::default()).await), ["site.delete", "site.create"]);
    let own = list(Whose::Account(ada), Filter::default()).await;
    assert_eq!(actions(&own), ["account.rename", "account.reset_password", "site.create", "site.create"]);

    let by = |by| Filter { by: Some(by), ..Filter::default() };
    let team = Whose::Team(theirs.unwrap());
    assert_eq!(actions(&list(team, by(By::Account(bob))).await), ["variables.change"]);
    assert_eq!(
        actions(&list(Whose::Everybody, by(By::Name("WebMeteor".into()))).await).len(),
        6,
        "nobody has an account"
    );
    let done = |done| Filter { done: Some(done), ..Filter::default() };
    assert_eq!(actions(&list(team, done(Done::Kind("site".into()))).await), ["site.create"]);
    assert_eq!(actions(&list(team, done(Done::Action("site".into()))).await), [""; 0]);
    assert_eq!(actions(&list(team, done(Done::Action("site.create".into()))).await), ["site.create"]);
    let to = |target: &str| Filter { target: Some(target.into()), ..Filter::default() };
    assert_eq!(list(Whose::Everybody, to("2")).await.len(), 2);
    assert_eq!(list(team, to("Shop")).await.len(), 2);
    assert_eq!(list(Whose::Account(ada), to("2")).await.len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn entries_are_found_by_their_time(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let team = TeamId::new();
    for action in ["site.create", "site.rename"] {
        add(&mut conn, Some(team), None, action, "1").await;
    }
    let rows = list(&mut conn, Whose::Team(team), &Filter::default(), None, 10).await.unwrap();
    let mut at = async |from, until| {
        let filter = Filter { from, until, ..Filter::default() };
        list(&mut conn, Whose::Team(team), &filter, None, 10).await.unwrap().len()
    };
    let (second, first) = (rows[0].at, rows[1].at);
    assert_eq!(at(Some(first), None).await, 2);
    assert_eq!(at(Some(second), None).await, 1, "from then on");
    assert_eq!(at(None, Some(second)).await, 1, "before then");
    assert_eq!(at(Some(second + Duration::SECOND), None).await, 0);
    assert_eq!(at(Some(first - Duration::days(400)), Some(first - Duration::days(2))).await, 0);
    assert_eq!(at(Some(first - Duration::days(400)), Some(second + Duration::days(400))).await, 2);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_page_goes_on_where_the_one_before_ended(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let (team, ada) = (TeamId::new(), UserId::new());
    for number in 0..7 {
        add(&mut conn, Some(team), Some(ada), "site.create", &number.to_string()).await;
    }
    for whose in [Whose::Team(team), Whose::Account(ada), Whose::Everybody] {
        let (mut seen, mut before) = (Vec::new(), None);
        loop {
            let rows = list(&mut conn, whose, &Filter::default(), before, 3).await.unwrap();
            let Some(last) = rows.last() else { break };
            before = Some(last.id);
            seen.extend(rows.into_iter().map(|row| row.target_id));
        }
        assert_eq!(seen, ["6", "5", "4", "3", "2", "1", "0"], "{whose:?}");
    }
}

/// As many entries as years bring, of twenty teams and their members, spread over two years.
const MANY: &str = "insert into audit_entries
        (id, team_id, actor_id, actor_name, action, target_kind, target_id, target_name, at)
    select (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
                || '8' || substr(md5(n::text), 4, 15))::uuid,
           ('00000000-0000-7000-8000-' || lpad((n % 20)::text, 12, '0'))::uuid,
           ('00000000-0000-7000-9000-' || lpad((n % 100)::text, 12, '0'))::uuid,
           'ada@example.org', case n % 500 when 0 then 'member.change' else 'site.create' end, 'site', (n % 1000)::text,
           'Shop', at
    from (select n, timestamptz '2026-11-28' - n * interval '15 minutes' as at from generate_series(1, 70000) n) as spread";

#[sqlx::test(migrations = "../../migrations")]
async fn years_of_entries_are_paged_through_by_an_index(pool: PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    sqlx::query(MANY).execute(&mut *conn).await.unwrap();
    sqlx::query("analyze audit_entries").execute(&mut *conn).await.unwrap();
    let team: TeamId = "00000000-0000-7000-8000-000000000003".parse().unwrap();
    let user: UserId = "00000000-0000-7000-9000-000000000003".parse().unwrap();
    let long_ago = "2025-06-01T00:00:00Z";
    let ago = OffsetDateTime::parse(long_ago, &time::format_description::well_known::Rfc3339).unwrap();
    let filters = [
        Filter::default(),
        Filter { by: Some(By::Account(user)), ..Filter::default() },
        Filter { done: Some(Done::Action("member.change".into())), ..Filter::default() },
        Filter { done: Some(Done::Kind("member".into())), ..Filter::default() },
        Filter { target: Some("3".into()), ..Filter::default() },
        Filter { from: Some(ago - Duration::days(30)), until: Some(ago), ..Filter::default() },
    ];
    let before = Some(AuditId(first_id(ago)));
    for whose in [Whose::Team(team), Whose::Account(user), Whose::Everybody] {
        for filter in &filters {
            for before in [None, before] {
                let mut sql = QueryBuilder::new("explain (format json) ");
                select(&mut sql, whose, filter, before, 50);
                let plan: Value = sql.build_query_scalar().fetch_one(&mut *conn).await.unwrap();
                assert!(!reads_all(&plan), "{whose:?} {filter:?} {before:?}\n{plan:#}");
            }
        }
    }
}

/// Somewhere in this plan the whole table is read.
fn reads_all(plan: &Value) -> bool {
    let is_it = plan["Node Type"] == "Seq Scan" && plan["Relation Name"] == "audit_entries";
    is_it
        || match plan {
            Value::Array(parts) => parts.iter().any(reads_all),
            Value::Object(parts) => parts.values().any(reads_all),
            _ => false,
        }
}
