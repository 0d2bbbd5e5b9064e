//! Networks, volumes, images, and the engine itself.

use crate::bench::{Bench, IMAGE};
use docker::{Engine, Error, NetworkSpec, Runtime};

#[tokio::test]
async fn the_engine_tells_its_version_and_room() {
    let engine = Engine::from_env();
    engine.ping().await.unwrap();
    let version = engine.version().await.unwrap();
    assert!(version.api.starts_with("1.") && !version.engine.is_empty(), "{version:?}");
    let disk = engine.disk_usage().await.unwrap();
    assert!(disk.free_bytes.is_some_and(|free| free > 0), "{disk:?}");
}

#[tokio::test]
async fn a_network_is_made_once_and_never_with_another_subnet() {
    let bench = Bench::new();
    let spec = bench.network("net").await;
    let (one, two) = tokio::join!(bench.engine.ensure_network(&spec), bench.engine.ensure_network(&spec));
    one.unwrap();
    two.unwrap();
    let there = bench.engine.list_networks(&bench.labels()).await.unwrap();
    assert_eq!(there.len(), 1);
    assert_eq!(there[0].subnet, Some(spec.subnet()));

    let moved = NetworkSpec { prefix: 28, ..spec.clone() };
    let error = bench.engine.ensure_network(&moved).await.unwrap_err();
    assert!(matches!(&error, Error::SubnetTaken(words) if words.contains(&spec.subnet())), "{error:?}");
    let overlapping = NetworkSpec { name: bench.name("other"), ..spec.clone() };
    let error = bench.engine.ensure_network(&overlapping).await.unwrap_err();
    assert!(matches!(error, Error::SubnetTaken(_)), "{error:?}");
}

#[tokio::test]
async fn many_at_once_make_one_network() {
    let bench = Bench::new();
    let spec = bench.network("net").await;
    bench.engine.remove_network(&spec.name).await.unwrap();
    let made = futures::future::join_all((0..8).map(|_| bench.engine.ensure_network(&spec))).await;
    assert!(made.iter().all(Result::is_ok), "{made:?}");
    assert_eq!(bench.engine.list_networks(&bench.labels()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_network_in_use_stays() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    bench.engine.start_site_container(&spec).await.unwrap();
    let error = bench.engine.remove_network(&network.name).await.unwrap_err();
    assert!(matches!(error, Error::Conflict(_)), "{error:?}");
    bench.engine.remove(&spec.name, true).await.unwrap();
    for _ in 0..2 {
        bench.engine.remove_network(&network.name).await.unwrap();
    }
}

#[tokio::test]
async fn a_volume_keeps_its_files_over_containers() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let volume = bench.name("data");
    for _ in 0..2 {
        bench.engine.ensure_volume(&volume, &bench.labels()).await.unwrap();
    }
    for (what, script, output) in [("first", "echo kept > /data/file", ""), ("second", "cat /data/file", "kept\n")] {
        let mut spec = bench.container(what, &network, 5, "sleep 300");
        spec.volumes = vec![(volume.clone(), "/data".into())];
        bench.engine.start_site_container(&spec).await.unwrap();
        assert_eq!(bench.exec(&spec.name, &["bash", "-c", script]).await.stdout, output);
        let error = bench.engine.remove_volume(&volume).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error:?}");
        bench.engine.remove(&spec.name, true).await.unwrap();
    }
    assert_eq!(bench.engine.list_volumes(&bench.labels()).await.unwrap().len(), 1);
    for _ in 0..2 {
        bench.engine.remove_volume(&volume).await.unwrap();
    }
}

#[tokio::test]
async fn an_image_is_there_or_not() {
    let bench = Bench::new();
    assert!(bench.engine.image_exists(IMAGE).await.unwrap());
    let none = format!("webmeteor-test/{}:none", bench.run);
    assert_eq!(bench.engine.image(&none).await.unwrap(), None);
    bench.engine.remove_image(&none).await.unwrap();
    assert!(matches!(bench.engine.image("../containers/json").await, Err(Error::InvalidName(_))));
}
