// The graph that Mortise keeps in Neo4j. Mortise applies this file on every start; each statement does nothing where it was
// applied before. Only what Neo4j Community has is used.
//
// (:System)-[:OWNS]->(:Artifact)-[:HAS_VERSION]->(:ArtifactVersion)
// (:System)-[:DEFINES]->(:Interface)
// (:Plan)-[:INCLUDES {n}]->(:DeploymentSpec)                      plans that were posted as a set
// (:DeploymentSpec)-[:DEPLOYS]->(:ArtifactVersion)
// (:DeploymentSpec)-[:IN]->(:Environment), (:Server)-[:IN]->(:Environment)
// (:DeploymentSpec)-[:LEASED_AS]->(:Lease)
// (:DeploymentSpec)-[:PLANS]->(:Component)                        while it is open: what it would manifest
// (:DeploymentSpec)-[:MANIFESTS {active}]->(:Component)           active: it is what runs now
// (:Server)-[:MANIFESTS {active}]->(:Component)
// (:Component)-[:PROVIDES]->(:Interface), (:Component)-[:LABELLED]->(:Label)
// (:DeploymentSpec)-[:REQUIRES]->(:Require)-[:OF]->(:Interface)   no OF where the require names no Interface
// (:Require)-[:MATCHED]->(:Component)                             what the newest resolution matched
// (:DeploymentSpec)-[:COUPLED {require}]->(:Component)            active runtime couplings
// (:Record)-[:PART {n}]->(:Part)                                  the history; all above but Lease is derived from it
// (:Change)                                                       what stands in the history, for people
// (:Head)                                                         where the history ends
//
// Times are RFC 3339 texts in UTC with milliseconds, so that they compare as texts. A text of more than 7,000 bytes stands in
// the history only, and the property is absent here. A property that says nothing is absent, but for `instance`, which is then
// empty, and `attributes`, which is then {}. A planned Component has no labels yet. One that never came to be is gone with its
// attempt, unless an active attempt is coupled to it.
//
// System           name
// Artifact         name, proven (an attempt of it succeeded)
// ArtifactVersion  artifact, version
// Environment      name, proven, firstDeployment (allow, warn, refuse)
// Interface        name, proven
// Server           name
// Plan             id, revision (that made it)
// DeploymentSpec   id, number, instance, currentState, targetState, condition, outcome, reason, createdAt, finishedAt, actor;
//                  system, artifact, version, environment (as its neighbours say); plan, supersedes (ids);
//                  revision (that changed it last), receivedAt, resolvedAt (revisions that have its specification and its
//                  newest resolution), place (in the order of all attempts), reasonInHistory (true: too long for here),
//                  opening (publish, while it is open), endedAt (revision that ended it last)
// Lease            id (that of the attempt), token (its hash, and it sealed under the idempotency key), revision (that wrote it)
// Component        id, layer, state (active, inactive, planned), since, attributes (JSON)
// Label            key, value
// Require          id, name, selector (JSON), scope (runtime, deployment), min, max (absent: no upper bound)
// IdempotencyKey   key (its hash: k1: and the first 32 characters that are printed by `printf 'mortise idempotency key\n%s' KEY | sha256sum`), plan (id), revision (that
//                  wrote it)
// Settings         id, quantifierDialect, firstDeployment, maxRequires, maxMatches, maxPlanBytes, maxComparisons, maxDepth, finishNeedsToken
// Change           id, revision, time, cause, actor
// Record           first, last (revisions that were recorded together), beside (how many Lease and IdempotencyKey nodes were
//                  written with them); its parts together: each revision as a line of JSON, compressed and checksummed (zstd)
// Part             bytes (less than 7,000)
// Head             name, revision, format (of this schema), turn (of who has its turn to write, or had it last),
//                  upgraded (while a graph of format 1 is upgraded: the revision up to which it is)
// Snapshot         id, format, revision, change (id), time, rows; -[:PART {n}]->(:Part): a quick start for new replicas

CREATE CONSTRAINT mortise_system IF NOT EXISTS FOR (n:System) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT mortise_artifact IF NOT EXISTS FOR (n:Artifact) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT mortise_artifact_version IF NOT EXISTS FOR (n:ArtifactVersion) REQUIRE (n.artifact, n.version) IS UNIQUE;
CREATE CONSTRAINT mortise_environment IF NOT EXISTS FOR (n:Environment) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT mortise_interface IF NOT EXISTS FOR (n:Interface) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT mortise_server IF NOT EXISTS FOR (n:Server) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT mortise_plan IF NOT EXISTS FOR (n:Plan) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_deployment_spec IF NOT EXISTS FOR (n:DeploymentSpec) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_lease IF NOT EXISTS FOR (n:Lease) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_component IF NOT EXISTS FOR (n:Component) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_label IF NOT EXISTS FOR (n:Label) REQUIRE (n.key, n.value) IS UNIQUE;
CREATE CONSTRAINT mortise_require IF NOT EXISTS FOR (n:Require) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_idempotency_key IF NOT EXISTS FOR (n:IdempotencyKey) REQUIRE n.key IS UNIQUE;
CREATE CONSTRAINT mortise_settings IF NOT EXISTS FOR (n:Settings) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_change IF NOT EXISTS FOR (n:Change) REQUIRE n.id IS UNIQUE;
CREATE CONSTRAINT mortise_revision IF NOT EXISTS FOR (n:Change) REQUIRE n.revision IS UNIQUE;
CREATE CONSTRAINT mortise_record IF NOT EXISTS FOR (n:Record) REQUIRE n.last IS UNIQUE;
CREATE CONSTRAINT mortise_head IF NOT EXISTS FOR (n:Head) REQUIRE n.name IS UNIQUE;
CREATE CONSTRAINT mortise_snapshot IF NOT EXISTS FOR (n:Snapshot) REQUIRE n.id IS UNIQUE;
CREATE INDEX mortise_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.place);
CREATE INDEX mortise_condition IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.condition, n.place);
CREATE INDEX mortise_artifact_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.artifact, n.place);
CREATE INDEX mortise_actor_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.actor, n.place);
CREATE INDEX mortise_environment_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.environment, n.place);
CREATE INDEX mortise_system_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.system, n.place);
CREATE INDEX mortise_state_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.currentState, n.place);
CREATE INDEX mortise_outcome_place IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.outcome, n.place);
CREATE INDEX mortise_slot IF NOT EXISTS FOR (n:DeploymentSpec) ON (n.artifact, n.environment, n.instance);
CREATE INDEX mortise_lease_revision IF NOT EXISTS FOR (n:Lease) ON (n.revision);
CREATE INDEX mortise_key_revision IF NOT EXISTS FOR (n:IdempotencyKey) ON (n.revision);
CREATE INDEX mortise_change_time IF NOT EXISTS FOR (n:Change) ON (n.time);
CREATE INDEX mortise_component_state IF NOT EXISTS FOR (n:Component) ON (n.state);
