//! Projects that are known by their files, each with the Dockerfile that is made for it.

use super::{
    DiscoverError, recipes,
    tree::{Tree, below},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Where the programs of all generated Dockerfiles listen.
pub(super) const PORT: u16 = 8080;

/// A project that is known.
pub(super) struct Project {
    /// In one word.
    pub(super) kind: &'static str,
    /// The Dockerfile made for it.
    pub(super) dockerfile: String,
}

/// The project in a folder. A `package.json` without a program to start often only serves another project's pages, so
/// such a one comes last.
///
/// # Errors
/// If a project is known, but not how it is started.
pub(super) fn recognise(tree: &Tree, folder: &str) -> Result<Option<Project>, DiscoverError> {
    let node = Node::read(tree, folder)?;
    if let Some(dockerfile) = node.as_ref().and_then(|node| node.server(tree, folder)) {
        return Ok(Some(Project { kind: "node", dockerfile }));
    }
    for (kind, recipe) in [("php", php as fn(&Tree, &str) -> Recipe), ("python", python), ("rust", rust), ("go", go)] {
        if let Some(dockerfile) = recipe(tree, folder)? {
            return Ok(Some(Project { kind, dockerfile }));
        }
    }
    match node {
        Some(node) if node.package.scripts.contains_key("build") => {
            Ok(Some(Project { kind: "node", dockerfile: recipes::node_pages(node.locked) }))
        }
        _ if tree.has_file(&below(folder, "index.html")) => {
            tree.file(&below(folder, "index.html"))?;
            Ok(Some(Project { kind: "static", dockerfile: recipes::pages() }))
        }
        Some(_) => Err(DiscoverError::nothing(
            "package.json says neither how the program is started (scripts.start or main) nor how pages are built (scripts.build).",
        )),
        None => Ok(None),
    }
}

type Recipe = Result<Option<String>, DiscoverError>;

struct Node {
    package: Package,
    locked: bool,
}

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    scripts: BTreeMap<String, String>,
    #[serde(default)]
    main: Option<String>,
}

impl Node {
    fn read(tree: &Tree, folder: &str) -> Result<Option<Self>, DiscoverError> {
        let Some(text) = tree.file(&below(folder, "package.json"))? else { return Ok(None) };
        let package = serde_json::from_str(&text)
            .map_err(|e| DiscoverError::nothing(format!("{} cannot be read: {e}.", below(folder, "package.json"))))?;
        let locked = tree.has_file(&below(folder, "package-lock.json"));
        Ok(Some(Self { package, locked }))
    }

    /// For a project with a program of its own: `npm start`, the file named as `main`, or one of the usual names.
    fn server(&self, tree: &Tree, folder: &str) -> Option<String> {
        let usual = ["server.js", "index.js", "app.js"];
        let start = if self.package.scripts.contains_key("start") {
            vec!["npm", "start"]
        } else {
            let named = self.package.main.as_deref();
            let file = named.into_iter().chain(usual).find(|file| tree.has_file(&below(folder, file)))?;
            vec!["node", file]
        };
        Some(recipes::node(self.locked, self.package.scripts.contains_key("build"), &start))
    }
}

fn php(tree: &Tree, folder: &str) -> Recipe {
    let has = |name: &str| tree.has_file(&below(folder, name));
    let composer = has("composer.json");
    if !composer && !has("index.php") {
        return Ok(None);
    }
    let public = has("public/index.php");
    if !public && !has("index.php") {
        return Err(DiscoverError::nothing(
            "There is a composer.json, but no index.php in the root or in public/; add one, or a Dockerfile.",
        ));
    }
    Ok(Some(recipes::php(composer, if public { "/srv/app/public" } else { "/srv/app" })))
}

fn python(tree: &Tree, folder: &str) -> Recipe {
    let requirements = tree.file(&below(folder, "requirements.txt"))?;
    let project = tree.file(&below(folder, "pyproject.toml"))?;
    if requirements.is_none() && project.is_none() {
        return Ok(None);
    }
    let wants = requirements.iter().chain(&project).cloned().collect::<String>().to_lowercase();
    let module =
        ["main", "app", "server", "wsgi"].into_iter().find(|name| tree.has_file(&below(folder, &format!("{name}.py"))));
    let django = tree
        .names(folder)
        .into_iter()
        .find(|name| tree.has_file(&below(folder, &format!("{name}/wsgi.py"))))
        .filter(|_| wants.contains("gunicorn"));
    let bind = format!("0.0.0.0:{PORT}");
    let port = PORT.to_string();
    let command: Vec<String> = match (module, django) {
        (_, Some(package)) => vec!["gunicorn".into(), "--bind".into(), bind, format!("{package}.wsgi")],
        (Some(module), _) if wants.contains("uvicorn") || wants.contains("fastapi[") => {
            ["uvicorn", &format!("{module}:app"), "--host", "0.0.0.0", "--port", &port].map(Into::into).to_vec()
        }
        (Some(module), _) if wants.contains("gunicorn") => {
            ["gunicorn", "--bind", &bind, &format!("{module}:app")].map(Into::into).to_vec()
        }
        (Some(module), _) if wants.contains("flask") => {
            ["flask", "--app", module, "run", "--host", "0.0.0.0", "--port", &port].map(Into::into).to_vec()
        }
        (Some(module), _) => vec!["python".into(), format!("{module}.py")],
        (None, None) => {
            return Err(DiscoverError::nothing(
                "This is a Python project, but there is no main.py, app.py, server.py or wsgi.py to start; add one, or a Dockerfile.",
            ));
        }
    };
    Ok(Some(recipes::python(requirements.is_some(), &command)))
}

#[derive(Deserialize)]
struct Cargo {
    package: Option<CargoPackage>,
    #[serde(default)]
    bin: Vec<CargoPackage>,
}

#[derive(Deserialize)]
struct CargoPackage {
    name: Option<String>,
}

fn rust(tree: &Tree, folder: &str) -> Recipe {
    let Some(text) = tree.file(&below(folder, "Cargo.toml"))? else { return Ok(None) };
    let cargo: Cargo = toml::from_str(&text)
        .map_err(|e| DiscoverError::nothing(format!("Cargo.toml cannot be read: {}.", e.message())))?;
    let program = cargo.bin.into_iter().chain(cargo.package).find_map(|package| package.name);
    let plain =
        |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let Some(program) = program.filter(plain) else {
        return Err(DiscoverError::nothing(
            "Cargo.toml names no package with a program; for a workspace, add a Dockerfile that says what to build.",
        ));
    };
    Ok(Some(recipes::rust(&program, tree.has_file(&below(folder, "Cargo.lock")))))
}

fn go(tree: &Tree, folder: &str) -> Recipe {
    if !tree.has_file(&below(folder, "go.mod")) {
        return Ok(None);
    }
    let plain = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let commands: Vec<String> = tree.names(&below(folder, "cmd")).into_iter().filter(plain).collect();
    let package = match commands.as_slice() {
        _ if tree.has_file(&below(folder, "main.go")) => ".".to_owned(),
        [only] => format!("./cmd/{only}"),
        _ => {
            return Err(DiscoverError::nothing(
                "This is a Go project, but there is no main.go in the root and not exactly one program in cmd/; add a Dockerfile.",
            ));
        }
    };
    Ok(Some(recipes::go(&package)))
}
