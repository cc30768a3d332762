//! Every operation of the OpenAPI document as somebody who may not.

use anyhow::{Context as _, bail, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tests::harness::city::{City, text};

use crate::cases::{Rig, TOWN, content};

struct Operation {
    id: String,
    method: Method,
    path: String,
    action: String,
}

pub(crate) async fn holds_for_every_operation(rig: &Rig) -> anyhow::Result<()> {
    let draft = json!({ "region": TOWN, "content": content("blue", TOWN) });
    let alert = rig.composer.post("/api/v1/alerts", &draft).await?;
    let alert = text(&alert, "id")?.to_owned();
    let operations = operations(&rig.city, &alert)?;
    ensure!(operations.len() > 30, "only {} operations are documented", operations.len());
    let anybody = rig.city.anonymous()?;
    for operation in &operations {
        let Operation { id, method, path, action } = operation;
        let body = (*method != Method::GET).then(|| json!({}));
        // `public`: the secret or the digest is the authority.
        if action != "public" {
            let reply = anybody.send(method.clone(), path, body.as_ref()).await?;
            ensure!(reply.status == 401, "{id} answers nobody with {}", reply.status);
        }
        if action == "public" || action == "own" {
            continue;
        }
        // A viewer changes nothing; a stranger's district is another one.
        let mut wrong = Vec::new();
        if *method != Method::GET {
            wrong.push(("a viewer", &rig.viewer));
        }
        if path.contains(&alert) {
            wrong.push(("a stranger", &rig.stranger));
        }
        if action.starts_with("read_a") && action != "read_alerts" {
            wrong.push(("a composer", &rig.composer));
        }
        for (who, api) in wrong {
            let reply = api.send(method.clone(), path, body.as_ref()).await?;
            let is_refused = reply.status.is_client_error();
            ensure!(is_refused, "{id} answers {who} with {}", reply.status);
            if *method == Method::GET {
                let is_hidden = [403, 404].contains(&reply.status.as_u16());
                ensure!(is_hidden, "{id} answers {who} with {}", reply.status);
            }
        }
    }
    Ok(())
}

fn operations(city: &City, alert: &str) -> anyhow::Result<Vec<Operation>> {
    let printed = tests::harness::process::run(&mut city.command(&["openapi"]))?;
    let document: Value = serde_json::from_str(&printed).context("the document is JSON")?;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().context("paths")? {
        for (method, operation) in item.as_object().context("a path item")? {
            let method = match method.as_str() {
                "get" => Method::GET,
                "post" => Method::POST,
                "put" => Method::PUT,
                "patch" => Method::PATCH,
                "delete" => Method::DELETE,
                "parameters" => continue,
                other => bail!("{path}: {other}"),
            };
            let id = text(operation, "operationId")?.to_owned();
            // Health and metrics stand outside the API.
            if !path.contains("/alerts")
                && ["/healthz", "/readyz", "/metrics"].contains(&path.as_str())
            {
                continue;
            }
            operations.push(Operation {
                method,
                path: filled(path, alert),
                action: text(operation, "x-action")
                    .context("an operation names its action")?
                    .to_owned(),
                id,
            });
        }
    }
    Ok(operations)
}

fn filled(path: &str, alert: &str) -> String {
    let path = if path.starts_with("/api/v1") { path.to_owned() } else { format!("/api/v1{path}") };
    let parts = path.split('/').map(|part| match part {
        "{id}" => alert.to_owned(),
        "{code}" => TOWN.to_owned(),
        "{digest}" => "0".repeat(64),
        part if part.starts_with('{') => "350211102201-0001".to_owned(),
        part => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}
