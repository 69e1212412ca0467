-- A store of a year: 10 pipelines, 500 runs of 20 stages, 10,000 executions, a million metric rows.
-- Everything points at everything as the stage kinds leave it; the values are of no account.
CREATE TEMP TABLE kinds (position INTEGER PRIMARY KEY, kind TEXT, name TEXT);
INSERT INTO kinds VALUES (0,'generate','scenes'),(1,'judge','judge'),
 (2,'train','m0'),(3,'train','m1'),(4,'train','m2'),(5,'train','m3'),(6,'train','m4'),
 (7,'probe','p0'),(8,'probe','p1'),(9,'probe','p2'),(10,'probe','p3'),(11,'probe','p4'),
 (12,'intervene','masked'),
 (13,'evaluate','e0'),(14,'evaluate','e1'),(15,'evaluate','e2'),(16,'evaluate','e3'),(17,'evaluate','e4'),(18,'evaluate','e5'),
 (19,'compare','comparison');
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<9)
INSERT INTO pipeline SELECT i+1,'study'||i,'study'||i||'.json5',i,'{}' FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i < 499)
INSERT INTO run SELECT printf('run%05d',i), i%10+1, printf('2026-01-01T%05d',i), printf('2026-01-01T%05d',i),'succeeded','manual',1,'h','0',NULL,i,'[]','{}' FROM n;
INSERT INTO execution(id,key,kind,params,seed,started_at,finished_at,status,error,cpu_seconds,wall_seconds,peak_rss_bytes,threads,attempt) SELECT printf('%s-%d',r.id,k.position), printf('key%s-%d',r.id,k.position),k.kind,
 CASE k.kind WHEN 'train' THEN '{"labelling":"single","network":{"type":"unet"}}' WHEN 'intervene' THEN '{"mask":"conditioner"}' ELSE '{}' END,
 1,'2026','2026','succeeded',NULL,1,1,1,1,1 FROM run r, kinds k;
INSERT INTO stage(run_id,name,kind,key,status,reason,execution_id) SELECT r.id,k.name,k.kind,printf('key%s-%d',r.id,k.position),'executed','never run',printf('%s-%d',r.id,k.position) FROM run r, kinds k ORDER BY r.id,k.position;
INSERT INTO artifact SELECT id||'/'||role,role,'x',1,'2026' FROM execution e, (SELECT 'generate' AS kind,'pixels' AS role UNION SELECT 'generate','conditioners' UNION SELECT 'judge','weights' UNION SELECT 'train','weights' UNION SELECT 'probe','map' UNION SELECT 'intervene','mask' UNION SELECT 'evaluate','outcomes' UNION SELECT 'evaluate','pictures' UNION SELECT 'compare','comparison') o WHERE e.kind=o.kind;
INSERT INTO execution_output SELECT substr(sha256,1,instr(sha256,'/')-1), kind, sha256 FROM artifact;
INSERT INTO execution_input SELECT printf('%s-%d',r.id,k.position),'scenes/pixels',printf('%s-0/pixels',r.id) FROM run r,kinds k WHERE k.kind IN ('train','probe','intervene');
INSERT INTO execution_input SELECT printf('%s-%d',r.id,k.position),'denoiser/weights',printf('%s-%d/weights',r.id,k.position-5) FROM run r,kinds k WHERE k.kind='probe';
INSERT INTO execution_input SELECT printf('%s-%d',r.id,k.position),'denoiser/weights',printf('%s-%d/weights',r.id,iif(k.position=18,3,k.position-11)) FROM run r,kinds k WHERE k.kind='evaluate';
INSERT INTO execution_input SELECT printf('%s-12',r.id),'denoiser/weights',printf('%s-3/weights',r.id) FROM run r;
INSERT INTO execution_input SELECT printf('%s-18',r.id),'denoiser/mask',printf('%s-12/mask',r.id) FROM run r;
INSERT INTO execution_input SELECT printf('%s-%d',r.id,k.position),'judge/weights',printf('%s-1/weights',r.id) FROM run r,kinds k WHERE k.kind='evaluate';
INSERT INTO execution_input SELECT printf('%s-19',r.id),printf('evaluations[%d]/outcomes',k.position-13),printf('%s-%d/outcomes',r.id,k.position) FROM run r,kinds k WHERE k.kind='evaluate';
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<129) SELECT i FROM n;
INSERT INTO metric(execution_id,name,value,pictures) SELECT e.id,'loss',0.5,i*100 FROM execution e,n WHERE e.kind='train';
INSERT INTO metric(execution_id,name,value,"window",sigma,k,ci_low,ci_high,n) SELECT e.id,'locality.'||CASE i%3 WHEN 0 THEN 'pixel' WHEN 1 THEN 'conditioner' ELSE 'isotropic' END,0.5,i/3,2,3,0.4,0.6,12 FROM execution e,n WHERE e.kind='probe';
INSERT INTO metric(execution_id,name,value,k,seed,ci_low,ci_high,n) SELECT e.id,CASE i%8 WHEN 0 THEN 'recall' WHEN 1 THEN 'window_load' ELSE 'other'||i%8 END,0.5,i/8,1,0.4,0.6,12 FROM execution e,n WHERE e.kind='evaluate';
INSERT INTO metric(execution_id,name,value) SELECT printf('%s-19',id),'k_max_threshold',0.9 FROM run;
INSERT INTO metric(execution_id,name,value,seed,subject,ci_low,ci_high,n) SELECT printf('%s-19',r.id),'k_max',3,1,printf('%s-%d/outcomes',r.id,k.position),2,4,24 FROM run r,kinds k WHERE k.kind='evaluate';
INSERT INTO metric(execution_id,name,value,subject,ci_low,ci_high,n) SELECT printf('%s-19',r.id),m.name,0.1,printf('%s-18/outcomes',r.id),0,0.2,24 FROM run r,(SELECT 'effect_recall' AS name UNION SELECT 'effect_exact' UNION SELECT 'p_recall' UNION SELECT 'p_exact' UNION SELECT 'p_holm_recall' UNION SELECT 'p_holm_exact') m;
-- Every other run has manifests, as those of today do; the others are from before.
INSERT INTO artifact SELECT id||'/manifest','manifest','application/vnd.locus.manifest+json',1,'2026' FROM execution WHERE kind IN ('train','intervene','evaluate') AND substr(id,8,1)%2=0;
INSERT INTO manifest SELECT sha256,'denoiser',iif(e.kind='train','{"form":"trained","labelling":"single","network":{"type":"unet"},"objects":[1,3],"size":32,"space":{"grid":16},"type":"denoiser"}','{"base":"'||substr(e.id,1,8)||'-3/manifest","form":"masked","mask":{"mask":"conditioner"},"type":"denoiser"}') FROM artifact JOIN execution e ON e.id||'/manifest'=sha256 WHERE e.kind IN ('train','intervene');
INSERT INTO execution_output SELECT substr(sha256,1,instr(sha256,'/')-1), kind, sha256 FROM artifact WHERE kind='manifest';
INSERT INTO execution_input SELECT execution_id,'denoiser/manifest',replace(sha256,'/weights','/manifest') FROM execution_input WHERE role='denoiser/weights' AND substr(execution_id,8,1)%2=0 AND execution_id NOT LIKE '%-18';
INSERT INTO execution_input SELECT printf('%s-18',id),'denoiser/manifest',printf('%s-12/manifest',id) FROM run WHERE substr(id,8,1)%2=0;
