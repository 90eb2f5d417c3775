//! phases
use std::time::Instant;
use mortise::catalog::Catalog;
use mortise::document::{Document, Limits};
use mortise::model::*;
use mortise::planner::{self, Identities};
use mortise::spec::*;
use mortise::wire;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn time<T>(name: &str, n: u32, mut f: impl FnMut(u32) -> T) {
    let n = match std::env::var("ONLY") { Ok(o) if o == name => n * 10, Ok(_) => return, _ => n };
    for i in 0..n / 10 { std::hint::black_box(f(i)); }
    let t = Instant::now();
    for i in 0..n { std::hint::black_box(f(i)); }
    println!("{name:20} {:8.2} us", t.elapsed().as_secs_f64() * 1e6 / f64::from(n));
}
fn main() {
    let body = std::fs::read_to_string("/tmp/w/req.json").unwrap();
    let settings = Settings::default();
    let mut catalog = Catalog::default();
    let mut rows = vec![];
    for i in 0..1000 {
        let n = |s: String| Name::new(s).unwrap();
        let slot = Slot { artifact: n(format!("org.load.provider-{i}")), environment: n("test".into()), instance: "".into() };
        let mut labels = Labels::default();
        for (k, v) in [("interface", format!("interface-{i}")), ("name", format!("org.load.provider-{i}")), ("version", format!("1.{}.0", i % 10)), ("environment", "test".into()), ("layer", "server".into()), ("tier", "gold".into()), ("region", "r1".into())] { labels.set(n(k.into()), v); }
        rows.push(Row::Component(ComponentRow { id: ComponentId(uuid::Uuid::now_v7()), owner: Owner::Slot(slot), system: Some(n("p".into())), interface: n(format!("interface-{i}")), layer: Layer::Server, version: Some("1.0".into()), labels, attributes: Attributes::new(vec![("url".into(), mortise::document::Json::Text("https://x.y.z/1.0.0".into())), ("port".into(), mortise::document::Json::Text("8443".into()))]), state: ComponentState::Active, since: Timestamp::default(), deployment: Some(DeploymentId(uuid::Uuid::now_v7())) }));
    }
    catalog.apply(&ChangeSet { revision: 1, id: uuid::Uuid::now_v7(), time: Timestamp::default(), cause: Cause::Start, actor: None, rows });
    let n = 20000;
    let text = |i: u32| body.replace("@NAME@", &format!("m1-0-{i}"));
    time("replace", n, |i| text(i));
    let t0 = text(1);
    time("serde Value", n, |_| serde_json::from_str::<serde_json::Value>(&t0).unwrap());
    time("document", n, |_| Document::from_json(t0.as_bytes(), Limits::default()).unwrap());
    let doc = Document::from_json(t0.as_bytes(), Limits::default()).unwrap();
    time("received", n, |_| mortise::document::JsonText::from(&doc.root));
    let cx = ReadContext { settings: &settings };
    time("read", n, |_| StartDocument::read(&doc, &Inputs::default(), cx).unwrap());
    let start = StartDocument::read(&doc, &Inputs::default(), cx).unwrap();
    let member = &start.members[0];
    time("render", n, |_| member.specification.render(&member.inputs).unwrap());
    let specs = vec![member.specification.render(&member.inputs).unwrap()];
    let ids = [DeploymentId(uuid::Uuid::now_v7())];
    let mut fresh = || ComponentId(uuid::Uuid::now_v7());
    time("plan", n, |_| planner::plan(&catalog, &specs, &settings, Identities::Given { deployments: &ids, component: &mut fresh }).unwrap());
    let plan = planner::plan(&catalog, &specs, &settings, Identities::Given { deployments: &ids, component: &mut fresh }).unwrap();
    assert_eq!(plan.verdict, planner::Verdict::Yes);
    time("check", n, |_| planner::check(&catalog, &specs, &settings, &plan, planner::Scrutiny::EachMatch).unwrap());
    time("artifact_spec text", n, |_| wire::artifact_spec(&specs[0], &plan.members[0]));
    let text = wire::artifact_spec(&specs[0], &plan.members[0]);
    println!("plan text {} bytes, received {} bytes", text.as_str().len(), t0.len());
    time("text copy", n, |_| mortise::document::JsonText::of(&text).unwrap());
}
