BEGIN TRANSACTION;
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num));
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE baselines (
	site TEXT NOT NULL, 
	run_id TEXT NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_baselines PRIMARY KEY (site, run_id)
);
INSERT INTO "baselines" VALUES('US5','42',X'78011D8C410A84301004FFD2578D2659F59077F881D18425AC66208A18C4BF3B2ED4A5A0BA2FFC62F27058D987452D34A99553DC39B73325CA05358E90B7C809CED4A05D5AABEDA0B46046639DD64263ECA7EB87EA2FB2F1F11BB6B73D4526F605EE02C9C57D3FECA720F8');
CREATE TABLE bodies (
	id INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	first_ms INTEGER NOT NULL, 
	last_ms INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_bodies PRIMARY KEY (id), 
	CONSTRAINT uq_bodies_hash UNIQUE (hash)
);
INSERT INTO "bodies" VALUES(1,'f9d86028c6e0d64e225186f96acb69338b2c59764df79162107f5c4bb34d1310',1780315260123,1780315260123,8,X'789CAB564A54B25230AC050009E50229');
CREATE TABLE events (
	id INTEGER NOT NULL, 
	incident INTEGER NOT NULL, 
	at_us INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	message TEXT NOT NULL, 
	sites TEXT NOT NULL, 
	by_whom TEXT NOT NULL, 
	CONSTRAINT pk_events PRIMARY KEY (id)
);
INSERT INTO "events" VALUES(1,1,1780315200123456,'opened','"opened \ud800"','["US5"]','"Ann"');
CREATE TABLE findings (
	id INTEGER NOT NULL, 
	digest TEXT NOT NULL, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_findings PRIMARY KEY (id), 
	CONSTRAINT uq_findings_digest UNIQUE (digest)
);
INSERT INTO "findings" VALUES(1,'c5091a03b50b92877cfe4ea776d069b1','{"check":"run","kind":"availability","level":"breaking","message":"no answer","rule":"unreachable","site":"US5"}');
CREATE TABLE incidents (
	id INTEGER NOT NULL, 
	problem TEXT NOT NULL, 
	finding TEXT NOT NULL, 
	level SMALLINT NOT NULL, 
	rule TEXT NOT NULL, 
	check_name TEXT NOT NULL, 
	since_us INTEGER NOT NULL, 
	opened_us INTEGER NOT NULL, 
	resolved_us INTEGER, 
	why_resolved TEXT NOT NULL, 
	acknowledged TEXT, 
	spells TEXT NOT NULL, 
	in_book SMALLINT NOT NULL, 
	CONSTRAINT pk_incidents PRIMARY KEY (id)
);
INSERT INTO "incidents" VALUES(1,'problem-1','{"at_us":1780315200123456,"check":"run","kind":"availability","level":"breaking","message":"gone \ud800\u0000 \u202e","rule":"unreachable","site":"US5"}',3,'unreachable','run',1780315200123456,1780315380123456,NULL,'',NULL,'[["US5",1780315200123456,null,"breaking","unreachable","no answer\u0000"]]',1);
INSERT INTO "incidents" VALUES(2,'problem-2','{"at_us":1780315200123456,"check":"run","kind":"availability","level":"breaking","message":"gone \ud800\u0000 \u202e","rule":"unreachable","site":"US5"}',3,'unreachable','run',1780315200123456,1780315380123456,NULL,'','["Ann \u0000",1780315200123456,"on it"]','[["US5",1780315200123456,1780315200123456,"warning","r","m"],["EU1",1780315200123456,null,"breaking","r","m"]]',1);
CREATE TABLE memory (
	check_name TEXT NOT NULL, 
	site TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	content BLOB NOT NULL, 
	CONSTRAINT pk_memory PRIMARY KEY (check_name, site)
);
INSERT INTO "memory" VALUES('run','US5',0,X'7801AD4E4B0E823014BCCB8B3B41DB2A2C7A0D75455814A8A1625B53AAC410EEEE142FE0C264F232EF33F366A6C1B88E2459DFE97B7E574D6EBD33D187BDD5D6873765F4D26134DE91E41929374E684956155D4E05B6E1E950051365CE007EE6423206ECB8381C8B72BB363F9DF08CD7351CFD941ECCD4F6BA1D90EDFB22066522E6B481996F6EBA8D2009D08C266A88E635146EFE966759927BAF1EC9BE02EF82B9C6952F1F6D3052CF');
CREATE TABLE meta (
	"key" TEXT NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_meta PRIMARY KEY ("key")
)
 WITHOUT ROWID

;
INSERT INTO "meta" VALUES('installation','0dd6fc69ec37');
INSERT INTO "meta" VALUES('memory_revision','1');
INSERT INTO "meta" VALUES('next_incident','3');
INSERT INTO "meta" VALUES('program','0.1.0');
INSERT INTO "meta" VALUES('rolled_up_to','2');
CREATE TABLE outbox (
	id INTEGER NOT NULL, 
	sink TEXT NOT NULL, 
	incident INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	at_us INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	state TEXT NOT NULL, 
	attempts INTEGER NOT NULL, 
	first_failed_us INTEGER, 
	next_at_us INTEGER NOT NULL, 
	error TEXT NOT NULL, 
	delivered_at_us INTEGER, 
	CONSTRAINT pk_outbox PRIMARY KEY (id), 
	CONSTRAINT uq_outbox_key UNIQUE ("key", sink)
);
INSERT INTO "outbox" VALUES(1,'chat',1,1,'opened','abc-1-1-chat',1780315200123456,'{"incident":{"id":1,"message":"\ud800\u0000"},"kind":"opened"}','queued',1,1780315200123456,1780315260123456,'"refused"',NULL);
CREATE TABLE probe_findings (
	probe INTEGER NOT NULL, 
	position SMALLINT NOT NULL, 
	finding INTEGER NOT NULL, 
	CONSTRAINT pk_probe_findings PRIMARY KEY (probe, position), 
	CONSTRAINT fk_probe_findings_probe FOREIGN KEY(probe) REFERENCES probes (id) ON DELETE CASCADE, 
	CONSTRAINT fk_probe_findings_finding FOREIGN KEY(finding) REFERENCES findings (id)
)
 WITHOUT ROWID

;
INSERT INTO "probe_findings" VALUES(2,0,1);
CREATE TABLE probes (
	id INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	at_ms INTEGER NOT NULL, 
	status SMALLINT, 
	verdict SMALLINT NOT NULL, 
	available SMALLINT, 
	rule TEXT, 
	resolve_us INTEGER, 
	connect_us INTEGER, 
	tls_us INTEGER, 
	first_byte_us INTEGER, 
	transfer_us INTEGER, 
	total_us INTEGER NOT NULL, 
	body INTEGER, 
	findings SMALLINT NOT NULL, again SMALLINT DEFAULT '0' NOT NULL, 
	CONSTRAINT pk_probes PRIMARY KEY (id), 
	CONSTRAINT fk_probes_series FOREIGN KEY(series) REFERENCES series (id), 
	CONSTRAINT fk_probes_body FOREIGN KEY(body) REFERENCES bodies (id) ON DELETE SET NULL
);
INSERT INTO "probes" VALUES(1,1,1780315200123,200,0,1,NULL,1000,2000,NULL,97000,NULL,100000,NULL,0,0);
INSERT INTO "probes" VALUES(2,1,1780315260123,200,3,0,'unreachable',1000,2000,NULL,97000,NULL,100000,1,1,0);
INSERT INTO "probes" VALUES(3,1,1780315320123,200,0,1,NULL,1000,2000,NULL,97000,NULL,100000,NULL,0,1);
CREATE TABLE rollups (
	period SMALLINT NOT NULL, 
	start_ms INTEGER NOT NULL, 
	series INTEGER NOT NULL, 
	probes INTEGER NOT NULL, 
	available INTEGER NOT NULL, 
	unavailable INTEGER NOT NULL, 
	outages INTEGER NOT NULL, 
	infos INTEGER NOT NULL, 
	warnings INTEGER NOT NULL, 
	breaking INTEGER NOT NULL, 
	latencies BLOB NOT NULL, 
	CONSTRAINT pk_rollups PRIMARY KEY (period, start_ms, series), 
	CONSTRAINT fk_rollups_series FOREIGN KEY(series) REFERENCES series (id)
)
 WITHOUT ROWID

;
INSERT INTO "rollups" VALUES(1,1780315200000,1,2,1,1,1,0,0,1,X'01E10201');
INSERT INTO "rollups" VALUES(2,1780272000000,1,2,1,1,1,0,0,1,X'01E10201');
CREATE TABLE series (
	id INTEGER NOT NULL, 
	site TEXT NOT NULL, 
	check_name TEXT NOT NULL, 
	vantage TEXT NOT NULL, 
	rolled_available SMALLINT, 
	CONSTRAINT pk_series PRIMARY KEY (id), 
	CONSTRAINT uq_series_site UNIQUE (site, check_name, vantage)
);
INSERT INTO "series" VALUES(1,'US5','run','',0);
CREATE TABLE silences (
	id INTEGER NOT NULL, 
	until_us INTEGER NOT NULL, 
	created_us INTEGER NOT NULL, 
	content TEXT NOT NULL, 
	CONSTRAINT pk_silences PRIMARY KEY (id)
);
INSERT INTO "silences" VALUES(1,1780322400123456,1780315200123456,'["works","Ann",2,"rule",["US5"]]');
CREATE TABLE told (
	incident INTEGER NOT NULL, 
	sink TEXT NOT NULL, 
	number INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	at_us INTEGER NOT NULL, 
	sites TEXT NOT NULL, 
	level SMALLINT NOT NULL, 
	acknowledged SMALLINT NOT NULL, 
	CONSTRAINT pk_told PRIMARY KEY (incident, sink)
);
INSERT INTO "told" VALUES(1,'chat',1,'opened',1780315200123456,'["US5"]',3,0);
CREATE TABLE tracks (
	problem TEXT NOT NULL, 
	site TEXT NOT NULL, 
	check_name TEXT NOT NULL, 
	finding TEXT NOT NULL, 
	results TEXT NOT NULL, 
	first_us INTEGER NOT NULL, 
	last_us INTEGER NOT NULL, 
	relapses INTEGER NOT NULL, 
	opened_us INTEGER, 
	CONSTRAINT pk_tracks PRIMARY KEY (problem, site, check_name)
);
INSERT INTO "tracks" VALUES('problem-1','US5','run','{"base":[1,"\u00e9"],"check":"run","kind":"availability","level":"breaking","message":"no answer","rule":"unreachable","site":"US5"}','x.x',1780315200123456,1780315200123456,0,NULL);
INSERT INTO "tracks" VALUES('problem-1','EU1','run','{"base":[1,"\u00e9"],"check":"run","kind":"availability","level":"breaking","message":"no answer","rule":"unreachable","site":"US5"}','x.x',1780315200123456,1780315200123456,2,1780315200123456);
CREATE INDEX ix_incidents_in_book ON incidents (id) WHERE in_book = 1;
CREATE INDEX ix_events_incident ON events (incident);
CREATE INDEX ix_outbox_incident ON outbox (incident);
CREATE INDEX ix_outbox_queued ON outbox (sink, incident, number) WHERE state = 'queued';
CREATE INDEX ix_probes_at_ms ON probes (at_ms, series);
CREATE INDEX ix_probes_body ON probes (body) WHERE body IS NOT NULL;
CREATE INDEX ix_probe_findings_finding ON probe_findings (finding);
COMMIT;
