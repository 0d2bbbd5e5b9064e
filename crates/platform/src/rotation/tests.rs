//! What holds while everything is sealed anew: nothing is lost, nothing is left, nobody is refused.

use super::*;
use crate::{
    Signup,
    secrets::EnvironmentSecrets,
    signing, sites,
    testing::{World, platform, problem},
    tokens, variables,
    variables::{NewVariable, Of},
    vault::{MasterKeys, Vault, key_id},
    webhooks,
};
use sqlx::PgPool;
use std::sync::{Arc, RwLock};
use time::OffsetDateTime;

const OLD: [u8; 32] = [7; 32];
const NEW: [u8; 32] = [8; 32];

/// The master keys as all processes would read them.
type Files = Arc<RwLock<MasterKeys>>;

fn vault(files: &Files) -> Vault {
    let files = files.clone();
    Vault::of(Box::new(move || Ok(files.read().unwrap().clone()))).unwrap()
}

/// A platform with something in every place, whose keys are in files.
async fn planted(pool: &PgPool) -> (World, Files) {
    let mut world = World::new(pool.clone()).await;
    let files = Files::new(RwLock::new(MasterKeys::one(OLD)));
    world.platform.vault = vault(&files);
    world.plant().await;
    (world, files)
}

fn rotate(files: &Files) {
    *files.write().unwrap() = MasterKeys { present: NEW, older: vec![OLD] };
}

fn begun_with(pool: &PgPool, key: [u8; 32]) -> Platform {
    Platform { vault: Vault::new(key), ..platform(pool.clone(), Signup::Open) }
}

/// How many values every place has, and that each opens with this key alone for the row that the list says.
async fn all_open(pool: &PgPool, key: [u8; 32]) -> i64 {
    let (vault, mut conn) = (Vault::new(key), pool.acquire().await.unwrap());
    let mut count = 0;
    for place in SEALED {
        let found = place.others(&mut conn, b"nobody", 0, i64::from(u32::MAX)).await.unwrap();
        assert!(!found.is_empty(), "{}.{}: plant a secret there (testing::planted)", place.table, place.column);
        for found in &found {
            assert!(vault.open(&found.row, &found.sealed).is_ok(), "{}.{} {}", place.table, place.column, found.row);
            count += 1;
        }
    }
    count
}

#[sqlx::test(migrations = "../../migrations")]
async fn every_value_of_every_place_is_under_the_new_key_and_bound_to_its_row(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    let count = all_open(&pool, OLD).await;
    rotate(&files);
    assert_eq!(counts(&world.platform).await.unwrap().others, count);
    let done = reseal_all(&world.platform, Duration::ZERO).await.unwrap();
    assert_eq!(done, Resealed { moved: u64::try_from(count).unwrap(), ..Resealed::default() });
    assert!(done.is_whole());
    assert_eq!(all_open(&pool, NEW).await, count);
    let after = counts(&world.platform).await.unwrap();
    assert_eq!((after.others, after.by_key), (0, BTreeMap::from([(key_id(&NEW), count)])));
    assert_eq!(
        reseal_all(&world.platform, Duration::ZERO).await.unwrap(),
        Resealed::default(),
        "nothing is left to do"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_was_sealed_before_keys_had_names_is_moved_too(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    let row = crate::sites::environment_row(world.environment);
    let sealed: Vec<u8> =
        sqlx::query_scalar("select secrets from environments limit 1").fetch_one(&pool).await.unwrap();
    let plain = world.platform.vault.open(&row, &sealed).unwrap();
    // Version 1: the same without the key's name.
    let old = [&[1], &sealed[5..]].concat();
    assert_eq!(world.platform.vault.open(&row, &old).unwrap(), plain);
    sqlx::query("update environments set secrets = $1 where id = $2")
        .bind(&old)
        .bind(world.environment)
        .execute(&pool)
        .await
        .unwrap();
    assert_eq!(counts(&world.platform).await.unwrap().by_key[WITHOUT_NAME], 1);
    rotate(&files);
    assert!(reseal_all(&world.platform, Duration::ZERO).await.unwrap().is_whole());
    all_open(&pool, NEW).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_rotation_that_was_stopped_is_finished_by_the_next(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    let count = all_open(&pool, OLD).await;
    rotate(&files);
    // Stopped after some of the places.
    let mut some = Resealed::default();
    let mut conn = pool.acquire().await.unwrap();
    for place in SEALED.iter().step_by(2) {
        part(&world.platform, &mut conn, place, 0, &mut some).await.unwrap();
    }
    let left = counts(&world.platform).await.unwrap().others;
    assert_eq!(left, count - i64::try_from(some.moved).unwrap());
    assert!(some.moved > 0 && left > 0);
    // Everything works meanwhile, in a process that has both keys.
    sites::get(&world.platform, &world.actor, world.site).await.unwrap();
    let done = reseal_all(&world.platform, Duration::ZERO).await.unwrap();
    assert_eq!(done.moved, u64::try_from(left).unwrap());
    all_open(&pool, NEW).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn requests_in_other_processes_never_fail_while_everything_is_sealed_anew(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    // A web process that began before the rotation, and knows the old key alone until it meets the new one.
    let running = Platform { vault: vault(&files), ..platform(pool.clone(), Signup::Open) };
    let signed_in = tokens::issue(&running, world.actor.user.unwrap()).await.unwrap();
    rotate(&files);
    let requests = async {
        for number in 0..40 {
            let variable = NewVariable { name: "TURN".into(), value: Some(number.to_string()), secret: true };
            variables::put(&running, &world.actor, world.site, Of::Environment("production"), variable).await.unwrap();
            webhooks::rotate_secret(&running, &world.actor, world.site, webhooks::Rotation::default()).await.unwrap();
            let user = tokens::verify(&running, &signed_in.access_token).await.unwrap();
            assert_eq!(user, world.actor.user);
        }
    };
    let (done, ()) = tokio::join!(reseal_all(&world.platform, Duration::ZERO), requests);
    assert!(done.unwrap().damaged.is_empty());
    assert!(reseal_all(&world.platform, Duration::ZERO).await.unwrap().is_whole());
    all_open(&pool, NEW).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_a_process_still_writes_with_the_old_key_is_found_by_the_last_look(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    rotate(&files);
    assert!(reseal_all(&world.platform, Duration::ZERO).await.unwrap().is_whole());
    // By the environment a process has the old key until it is started again; it may know the new one as well.
    let late = Platform {
        vault: Vault::of(Box::new(|| Ok(MasterKeys { present: OLD, older: vec![NEW] }))).unwrap(),
        ..platform(pool.clone(), Signup::Open)
    };
    webhooks::rotate_secret(&late, &world.actor, world.site, webhooks::Rotation::default()).await.unwrap();
    assert_eq!(counts(&world.platform).await.unwrap().others, 2);
    assert_eq!(reseal_all(&world.platform, Duration::ZERO).await.unwrap().moved, 2);
    all_open(&pool, NEW).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_opens_with_no_key_is_named_and_keeps_nothing_else(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    sqlx::query("update deploy_keys set private_key = decode('02aabbccdd00', 'hex')").execute(&pool).await.unwrap();
    rotate(&files);
    let done = reseal_all(&world.platform, Duration::ZERO).await.unwrap();
    assert!(!done.is_whole() && done.damaged.len() == 1 && done.damaged[0].starts_with("deploy_keys.private_key"));
    let left = counts(&world.platform).await.unwrap();
    assert_eq!((left.others, left.by_key["aabbccdd"]), (1, 1));
}

#[sqlx::test(migrations = "../../migrations")]
async fn two_rotations_do_not_run_at_once(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    rotate(&files);
    let mut other = pool.acquire().await.unwrap();
    assert!(store::sealed::lock(&mut other).await.unwrap());
    let told = problem(reseal_all(&world.platform, Duration::ZERO).await);
    assert_eq!((told.status, told.code.as_str()), (409, "rotation_running"));
    let _ = other.detach().close().await;
    // The server notices the end of a connection by itself, a moment later.
    while problem_or_done(reseal_all(&world.platform, Duration::ZERO).await) {
        tokio::task::yield_now().await;
    }
    all_open(&pool, NEW).await;
}

fn problem_or_done(result: Result<Resealed>) -> bool {
    match result {
        Ok(done) => {
            assert!(done.is_whole());
            false
        }
        Err(_) => true,
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn signed_in_clients_and_releases_stay_as_they_are(pool: PgPool) {
    let (world, files) = planted(&pool).await;
    let user = world.actor.user.unwrap();
    let pair = tokens::issue(&world.platform, user).await.unwrap();
    let mut conn = pool.acquire().await.unwrap();
    let row = store::environments::by_id(&mut conn, world.team, world.environment).await.unwrap().unwrap();
    let before = EnvironmentSecrets::open(&world.platform, &mut conn, &row, 1).await.unwrap().values();
    rotate(&files);
    reseal_all(&world.platform, Duration::ZERO).await.unwrap();
    // A process that starts with the new key alone.
    let fresh = begun_with(&pool, NEW);
    assert_eq!(tokens::verify(&fresh, &pair.access_token).await.unwrap(), Some(user));
    tokens::refresh(&fresh, &pair.refresh_token).await.unwrap();
    let key = signing::to_sign(&fresh, OffsetDateTime::now_utc()).await.unwrap();
    assert_eq!(key.id, signing::to_sign(&world.platform, OffsetDateTime::now_utc()).await.unwrap().id);
    let row = store::environments::by_id(&mut conn, world.team, world.environment).await.unwrap().unwrap();
    let after = EnvironmentSecrets::open(&fresh, &mut conn, &row, 1).await.unwrap().values();
    assert_eq!(before, after);
}
