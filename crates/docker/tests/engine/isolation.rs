//! What a site's container cannot do.

use crate::bench::Bench;
use docker::Runtime;

/// A program that answers one connection after another.
const LISTEN: &str = "exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalPort => 80, \
                      ReuseAddr => 1); print \"ready\\n\"; $| = 1; while ($c = $s->accept) { print $c \"hello\"; close $c }'";

#[tokio::test]
async fn a_container_keeps_only_the_capabilities_it_needs() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let spec = bench.container("www", &network, 5, "sleep 300");
    bench.engine.start_site_container(&spec).await.unwrap();
    let status = bench.exec(&spec.name, &["cat", "/proc/self/status"]).await.stdout;
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().to_owned()
    };
    // capabilities(7): CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, KILL 5, SETGID 6, SETUID 7, NET_BIND_SERVICE 10.
    let wanted = [0, 1, 3, 5, 6, 7, 10].iter().fold(0_u64, |mask, bit| mask | 1 << bit);
    for set in ["CapEff:", "CapPrm:", "CapBnd:"] {
        assert_eq!(u64::from_str_radix(&field(set), 16).unwrap(), wanted, "{set}");
    }
    assert_eq!(field("NoNewPrivs:"), "1");
    assert_eq!(field("Seccomp:"), "2");
}

#[tokio::test]
async fn a_container_has_its_limits() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let mut spec = bench.container("www", &network, 5, "sleep 300");
    spec.memory_bytes = 64 << 20;
    spec.cpu_millis = 250;
    spec.pids_limit = 50;
    bench.engine.start_site_container(&spec).await.unwrap();
    let read = async |first: &str, second: &str| {
        let script = format!("cat /sys/fs/cgroup/{first} 2>/dev/null || cat /sys/fs/cgroup/{second}");
        bench.exec(&spec.name, &["bash", "-c", &script]).await.stdout.trim().to_owned()
    };
    assert_eq!(read("memory/memory.limit_in_bytes", "memory.max").await, (64 << 20).to_string());
    assert_eq!(read("pids/pids.max", "pids.max").await, "50");
    let cpu = read("cpu/cpu.cfs_quota_us", "cpu.max").await;
    assert!(cpu.starts_with("25000"), "{cpu}");

    let stats = bench.engine.stats(&spec.name).await.unwrap();
    assert_eq!(stats.memory_limit_bytes, 64 << 20);
    assert!(stats.memory_bytes > 0 && stats.pids >= 1, "{stats:?}");
}

#[tokio::test]
async fn a_container_sees_no_file_of_the_host() {
    let bench = Bench::new();
    let network = bench.network("net").await;
    let mut spec = bench.container("www", &network, 5, "sleep 300");
    for source in ["/etc", "../etc", "/var/run/docker.sock"] {
        spec.volumes = vec![(source.into(), "/host".into())];
        let refused = bench.engine.start_site_container(&spec).await;
        assert!(refused.is_err(), "{source}");
    }
    assert_eq!(bench.engine.list_containers(&bench.labels()).await.unwrap(), []);
}

#[tokio::test]
async fn only_neighbours_are_found_by_their_names() {
    let bench = Bench::new();
    let (here, there) = (bench.network("a").await, bench.network("b").await);
    let server = bench.container("server", &there, 5, LISTEN);
    let neighbour = bench.container("neighbour", &there, 6, "sleep 300");
    let stranger = bench.container("stranger", &here, 5, "sleep 300");
    for spec in [&server, &neighbour, &stranger] {
        bench.engine.start_site_container(spec).await.unwrap();
    }
    crate::bench::until("it listens", || async { !bench.engine.logs_tail(&server.name, 1).await.unwrap().is_empty() })
        .await;
    let ask = format!("timeout 2 bash -c 'exec 3<>/dev/tcp/{}/80; cat <&3'", server.address);
    let from = async |name: &str| bench.exec(name, &["bash", "-c", &ask]).await;

    assert_eq!(from(&neighbour.name).await.stdout, "hello");
    // That it is not reached by its address either is no promise of the engine's alone.
    let lookup = bench.exec(&stranger.name, &["getent", "hosts", "server"]).await;
    assert_eq!(lookup.stdout, "");
}
