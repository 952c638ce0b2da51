//! Decides the workload with cedar-policy: policies parsed once, one authorization a round.
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use std::collections::HashMap;
use std::str::FromStr;

fn main() {
    let mut args = std::env::args().skip(1);
    let folder = args.next().expect("folder");
    for name in args {
        let text = std::fs::read_to_string(format!("{folder}/{name}.cedar")).unwrap();
        let policies = PolicySet::from_str(&text).unwrap();
        let workload: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()).unwrap();
        let asked: Vec<_> = workload["requests"].as_array().unwrap().iter().map(|r| prepare(&workload, r)).collect();
        let authorizer = Authorizer::new();
        for (request, entities, allowed) in &asked {
            let decision = authorizer.is_authorized(request, &policies, entities).decision();
            assert_eq!(decision == Decision::Allow, *allowed, "{name}");
        }
        let rounds = if text.len() > 1_000_000 { 20 } else if text.len() > 50_000 { 500 } else { 5000 };
        let (request, entities, _) = &asked[0];
        let before = processor_time();
        for _ in 0..rounds {
            std::hint::black_box(authorizer.is_authorized(request, &policies, entities));
        }
        println!("cedar-policy\t{name}\t{}", (processor_time() - before) / rounds);
    }
}

/// Nanoseconds that this thread has run (Linux).
fn processor_time() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

fn prepare(w: &serde_json::Value, r: &serde_json::Value) -> (Request, Entities, bool) {
    let uid = |kind: &str, id: &str| EntityUid::from_str(&format!("{kind}::{id:?}")).unwrap();
    let action = r["action"].as_str().unwrap();
    let resource = r["resource"].as_str().unwrap();
    let mut context: HashMap<String, serde_json::Value> = HashMap::new();
    for (key, value) in w["context"].as_object().unwrap() {
        context.insert(key.replace("aws:", "").replace('/', "_"), value.clone());
    }
    context.insert("action".into(), action.into());
    let context = Context::from_json_value(serde_json::to_value(context).unwrap(), None).unwrap();
    let entities = Entities::from_json_value(
        serde_json::json!([{ "uid": { "type": "Resource", "id": resource }, "attrs": { "arn": resource }, "parents": [] }]),
        None,
    )
    .unwrap();
    let request = Request::new(uid("Principal", "agent"), uid("Action", action), uid("Resource", resource), context, None).unwrap();
    (request, entities, r["allowed"].as_bool().unwrap())
}
