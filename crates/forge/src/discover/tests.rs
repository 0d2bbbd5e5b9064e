//! What is found in repositories of every kind.

use super::*;
use tempfile::TempDir;

fn repository(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    dir
}

fn found(files: &[(&str, &str)]) -> Manifest {
    discover(repository(files).path()).unwrap()
}

fn refused(files: &[(&str, &str)]) -> DiscoverError {
    discover(repository(files).path()).unwrap_err()
}

/// Name, port and route of each service.
fn outline(manifest: &Manifest) -> Vec<(&str, u16, Option<&str>)> {
    manifest.services.iter().map(|s| (s.name.as_str(), s.port, s.route.as_deref())).collect()
}

fn generated(manifest: &Manifest) -> &str {
    match &manifest.services[0].source {
        ServiceSource::Build { generated: Some(text), .. } => text,
        other => panic!("nothing was generated: {other:?}"),
    }
}

#[test]
fn folders_with_dockerfiles_are_services_with_their_customary_ports_and_routes() {
    let site = found(&[
        ("www/Dockerfile", "FROM debian\n"),
        ("api/Dockerfile", "FROM debian\n"),
        ("alert/Dockerfile", "FROM debian\n"),
        ("Dockerfile", "FROM debian\nEXPOSE 1\n"),
        ("docs/Dockerfile", "FROM debian\n"),
    ]);
    assert_eq!(site.found_by, "folders");
    assert_eq!(
        outline(&site),
        [("alert", 3001, Some("/socket.io")), ("api", 80, Some("/api")), ("www", 4200, Some("/"))]
    );
    let strips: Vec<bool> = site.services.iter().map(|s| s.strip_prefix).collect();
    assert_eq!(strips, [false, true, false], "only /api is cut off");
}

#[test]
fn a_single_service_gets_everything() {
    let site = found(&[("api/Dockerfile", "FROM debian\n"), ("www/index.html", "no Dockerfile here")]);
    assert_eq!(outline(&site), [("api", 80, Some("/"))]);
    assert!(!site.services[0].strip_prefix);
}

#[test]
fn a_root_dockerfile_is_one_service_on_its_exposed_port() {
    let site = found(&[("Dockerfile", "FROM debian\nEXPOSE 3000\n"), ("package.json", "{}"), ("index.html", "")]);
    assert_eq!((site.found_by.as_str(), outline(&site)), ("Dockerfile", vec![("www", 3000, Some("/"))]));
    assert_eq!(outline(&found(&[("Dockerfile", "FROM debian\n")])), [("www", 8080, Some("/"))]);
}

#[test]
fn defaults_are_half_a_cpu_half_a_gigabyte_and_the_path_slash() {
    let site = found(&[("Dockerfile", "FROM debian\n")]);
    let service = &site.services[0];
    assert_eq!((service.cpu_millis, service.memory_bytes), (500, 512 << 20));
    assert_eq!(service.health.path.as_deref(), Some("/"));
    assert_eq!(service.health.start_period_ms, 120_000);
    assert!(!site.postgres);
}

#[test]
fn known_projects_get_a_dockerfile() {
    for (kind, files, words) in [
        ("static", &[("index.html", "<p>hi")][..], "nginx"),
        ("node", &[("package.json", r#"{"scripts": {"start": "node x.js"}}"#)], r#"CMD ["npm","start"]"#),
        (
            "node",
            &[("package.json", "{}"), ("package-lock.json", "{}"), ("server.js", "")],
            r#"CMD ["node","server.js"]"#,
        ),
        ("node", &[("package.json", r#"{"scripts": {"build": "vite build"}}"#), ("index.html", "")], "npm run build"),
        ("php", &[("index.php", "")], "DocumentRoot /srv/app'"),
        (
            "php",
            &[("composer.json", "{}"), ("public/index.php", ""), ("package.json", r#"{"scripts": {"build": "x"}}"#)],
            "composer install",
        ),
        ("python", &[("requirements.txt", "Flask==3\n"), ("app.py", "")], r#"CMD ["flask","--app","app""#),
        ("python", &[("requirements.txt", "fastapi\nuvicorn\n"), ("main.py", "")], r#"["uvicorn","main:app""#),
        (
            "python",
            &[("requirements.txt", "django\ngunicorn\n"), ("manage.py", ""), ("shop/wsgi.py", "")],
            r#""shop.wsgi""#,
        ),
        ("python", &[("pyproject.toml", ""), ("main.py", "")], r#"["python","main.py"]"#),
        ("rust", &[("Cargo.toml", "[package]\nname = \"shop\"\n")], "--bin shop"),
        ("go", &[("go.mod", "module x\n"), ("main.go", "")], "go build"),
        ("go", &[("go.mod", "module x\n"), ("cmd/shop/main.go", "")], "./cmd/shop"),
    ] {
        let site = found(files);
        let text = generated(&site);
        assert_eq!(site.found_by, kind, "{files:?}");
        assert!(text.contains(words), "{kind} lacks {words}:\n{text}");
        assert_eq!(outline(&site), [("www", 8080, Some("/"))]);
        for rule in ["FROM debian:bookworm-slim", "\nUSER www-data\n", "\nEXPOSE 8080\n", "\nCMD ["] {
            assert!(text.contains(rule), "{kind} lacks {rule}:\n{text}");
        }
        assert!(!text.contains("<<") && !text.contains("# syntax"), "the classic builder reads it:\n{text}");
        assert_eq!(dockerfile::exposed_port(text), Some(8080));
    }
}

#[test]
fn package_lines_are_those_of_the_template_so_that_layers_are_shared() {
    let template = include_str!("../../../../templates/full-stack/www/Dockerfile");
    let layer = template.split("\n\n").find(|part| part.starts_with("RUN apt-get")).unwrap();
    assert!(recipes::pages().contains(layer), "{layer}");
    let template = include_str!("../../../../templates/full-stack/api/Dockerfile");
    let layer = template.split("\n\n").find(|part| part.starts_with("RUN apt-get")).unwrap();
    assert!(recipes::php(false, "/srv/app").contains(layer), "{layer}");
}

#[test]
fn a_project_that_cannot_be_started_says_what_is_missing() {
    for (files, words) in [
        (&[][..], "Nothing that can be deployed"),
        (&[("README.md", "")], "Nothing that can be deployed"),
        (&[("package.json", "{}")], "scripts.start"),
        (&[("package.json", "{")], "cannot be read"),
        (&[("composer.json", "{}")], "no index.php"),
        (&[("requirements.txt", "")], "no main.py"),
        (&[("Cargo.toml", "[workspace]\n")], "workspace"),
        (&[("go.mod", "module x\n")], "no main.go"),
    ] {
        let error = refused(files);
        assert_eq!(error.code, FailureCode::NothingToDeploy);
        assert!(error.message.contains(words), "{error}");
    }
}

#[test]
fn the_manifest_says_it_all() {
    let site = found(&[
        (
            "webmeteor.toml",
            r#"
[services.www]
build = "web"
port = 4200
memory = "256mb"
cpus = 0.25
replicas = 1

[services.api]
image = "registry.example.org:5000/me/api@sha256:0123456789abcdef"
port = 9000
route = "/v1/"
command = ["api", "--serve"]
volumes = { uploads = "/srv/uploads" }
[services.api.healthcheck]
path = "/health?full=1"
interval = "2s"
timeout = "750ms"
retries = 5
start_period = "1m"

[services.worker]
build = "."
healthcheck = { command = ["true"] }

[database]
postgres = true
"#,
        ),
        ("web/Dockerfile", "FROM debian\n"),
        ("Dockerfile", "FROM debian\n"),
    ]);
    assert!(site.postgres);
    assert_eq!(site.found_by, "webmeteor.toml");
    assert_eq!(outline(&site), [("api", 9000, Some("/v1")), ("worker", 8080, None), ("www", 4200, Some("/"))]);
    let [api, worker, www] = site.services.as_slice() else { panic!() };
    assert!(api.strip_prefix);
    assert_eq!(api.command.as_deref(), Some(&["api".to_owned(), "--serve".to_owned()][..]));
    assert_eq!(api.volumes["uploads"], "/srv/uploads");
    let health = &api.health;
    assert_eq!((health.interval_ms, health.timeout_ms, health.retries, health.start_period_ms), (2000, 750, 5, 60_000));
    assert_eq!(health.path.as_deref(), Some("/health?full=1"));
    assert_eq!(
        (worker.health.path.as_deref(), worker.health.command.as_deref()),
        (None, Some(&["true".to_owned()][..]))
    );
    assert_eq!((www.memory_bytes, www.cpu_millis), (256 << 20, 250));
}

#[test]
fn the_full_stack_template_is_understood() {
    let site = discover(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/full-stack"))).unwrap();
    assert!(site.postgres);
    assert_eq!(
        outline(&site),
        [("alert", 3001, Some("/socket.io")), ("api", 80, Some("/api")), ("www", 4200, Some("/"))]
    );
}

#[test]
fn a_service_without_http_is_well_once_it_takes_a_connection() {
    let site = found(&[(
        "webmeteor.toml",
        "[services.www]\nimage = \"a\"\n[services.cache]\nimage = \"b\"\nport = 6379\n[services.alert]\nimage = \"c\"\n",
    )]);
    let paths: Vec<Option<&str>> = site.services.iter().map(|s| s.health.path.as_deref()).collect();
    assert_eq!(paths, [None, None, Some("/")], "alert, cache, www");
}

#[test]
fn a_folder_in_the_manifest_may_hold_a_known_project() {
    let site = found(&[("webmeteor.toml", "[services.www]\nbuild = \"./pages/\"\n"), ("pages/index.html", "")]);
    assert!(generated(&site).contains("nginx"));
    assert_eq!(site.services[0].port, 8080);
}

#[test]
fn a_mistake_in_the_manifest_is_told_with_its_line_and_key() {
    let one = "[services.www]\nimage = \"a\"\n";
    for (text, line, words) in [
        ("[services.www\n", 1, "services.www"),
        ("[services.www]\nimage = \"a\"\nprot = 80\n", 3, "prot"),
        ("[services.www]\nimage = \"a\"\nreplicas = 2\n", 3, "replicas is 1 for now"),
        ("[services.www]\nimage = \"a\"\ncommand = \"node x.js\"\n", 3, r#"["node", "x.js"]"#),
        ("[services.www]\nimage = \"a\"\nmemory = \"lots\"\n", 3, "memory is written as"),
        ("[services.www]\nimage = \"a\"\nmemory = \"1kb\"\n", 3, "memory is written as"),
        ("[services.www]\nimage = \"a\"\ncpus = 0\n", 3, "cpus is between"),
        ("[services.www]\nimage = \"a\"\nport = 70000\n", 3, "a port is between"),
        ("[services.www]\nimage = \"a\"\nroute = \"api\"\n", 3, "a route is"),
        ("[services.www]\nimage = \"a\"\nroute = \"/a/../b\"\n", 3, "a route is"),
        ("[services.www]\nimage = \"-v\"\n", 2, "image is the name"),
        ("[services.www]\nbuild = \"../other\"\n", 2, "inside the repository"),
        ("[services.www]\nbuild = \"/etc\"\n", 2, "inside the repository"),
        ("[services.www]\nimage = \"a\"\nhealthcheck = { interval = \"5\" }\n", 3, "a duration is written"),
        ("[services.www]\nimage = \"a\"\nvolumes = { data = \"/etc/x\" }\n", 3, "a volume stands"),
        ("[services.\"a b\"]\nimage = \"a\"\n", 1, "service's name"),
        ("[services.www]\nport = 80\n", 1, "neither build"),
        ("[services.www]\nbuild = \".\"\nimage = \"a\"\n", 1, "both build and image"),
        ("[services.www]\nbuild = \"nowhere\"\n", 1, "not in the repository"),
        ("[services.cache]\nimage = \"a\"\n", 1, "which port"),
        ("[services.db]\nimage = \"a\"\nport = 1\n[database]\npostgres = true\n", 1, "database has this name"),
        (
            "[services.www]\nimage = \"a\"\n[services.www.healthcheck]\npath = \"/\"\ncommand = [\"x\"]\n",
            1,
            "both path and command",
        ),
    ] {
        let error = refused(&[("webmeteor.toml", text)]);
        assert_eq!(error.code, FailureCode::ManifestInvalid, "{text}");
        assert!(error.message.starts_with(&format!("webmeteor.toml, line {line} ")), "{text}\n{error}");
        assert!(error.message.contains(words), "{text}\n{error}");
    }
    for (text, words) in [
        (
            format!("{one}route = \"/x\"\n[services.b]\nimage = \"b\"\nport = 1\nroute = \"/x\"\n"),
            "both have the route",
        ),
        (
            "[services.a]\nimage = \"a\"\nport = 1\n[services.b]\nimage = \"b\"\nport = 1\n".to_owned(),
            "No service can be reached",
        ),
    ] {
        assert!(refused(&[("webmeteor.toml", &text)]).message.contains(words), "{text}");
    }
}

#[test]
fn files_outside_the_repository_are_not_read() {
    let secret = repository(&[("Dockerfile", "FROM debian\nEXPOSE 6666\n")]);
    let site = repository(&[("index.html", "")]);
    std::os::unix::fs::symlink(secret.path().join("Dockerfile"), site.path().join("Dockerfile")).unwrap();
    std::os::unix::fs::symlink(secret.path(), site.path().join("www")).unwrap();
    assert_eq!(discover(site.path()).unwrap().found_by, "static");
}

#[test]
fn a_pointer_of_git_lfs_is_named_as_one() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n";
    for name in ["Dockerfile", "index.html", "webmeteor.toml"] {
        let error = refused(&[(name, pointer)]);
        assert_eq!(error.code, FailureCode::RepositoryRefused);
        assert!(error.message.contains("Git LFS"), "{error}");
    }
}

#[test]
fn a_file_without_services_leaves_finding_them_to_the_other_rules() {
    let found = found(&[("webmeteor.toml", "# nothing yet\n[database]\npostgres = true\n"), ("index.html", "hello")]);
    assert_eq!((found.found_by.as_str(), found.postgres), ("static", true));
}
