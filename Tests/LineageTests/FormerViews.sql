-- The views of Locus when its schema had become version 4.
CREATE VIEW newest_run AS SELECT r.id, p.name AS pipeline, r.started_at, r.finished_at, r.status, r.seed, r.git_commit FROM (SELECT DISTINCT name FROM pipeline) p
JOIN run r ON r.id = (SELECT r2.id FROM pipeline p2 CROSS JOIN run r2 ON r2.pipeline_id = p2.id
    WHERE p2.name = p.name ORDER BY r2.sequence DESC, r2.id DESC LIMIT 1)
;
CREATE VIEW latest_run AS SELECT r.id, p.name AS pipeline, r.started_at, r.finished_at, r.status, r.seed, r.git_commit, nullif((SELECT r2.id FROM pipeline p2 CROSS JOIN run r2 ON r2.pipeline_id = p2.id
    WHERE p2.name = p.name ORDER BY r2.sequence DESC, r2.id DESC LIMIT 1), r.id) AS newer
FROM (SELECT DISTINCT name FROM pipeline) p
JOIN run r ON r.id = coalesce((SELECT r2.id FROM pipeline p2 CROSS JOIN run r2 ON r2.pipeline_id = p2.id
    WHERE p2.name = p.name
    AND r2.status = 'succeeded' AND NOT EXISTS (
      SELECT 1 FROM event e WHERE e.run_id = r2.id
      AND substr(e.message, 1, 24) = 'a part of the pipeline: ') ORDER BY r2.sequence DESC, r2.id DESC LIMIT 1), (SELECT r2.id FROM pipeline p2 CROSS JOIN run r2 ON r2.pipeline_id = p2.id
    WHERE p2.name = p.name ORDER BY r2.sequence DESC, r2.id DESC LIMIT 1))
;
CREATE VIEW run_stage_cost AS SELECT s.run_id, s.name AS stage, s.kind, e.wall_seconds, e.cpu_seconds, e.peak_rss_bytes,
  e.wall_seconds / sum(e.wall_seconds) OVER (PARTITION BY s.run_id) AS share,
  s.status = 'reused' AS reused, p.name AS pipeline
FROM stage s
CROSS JOIN run r ON r.id = s.run_id
CROSS JOIN pipeline p ON p.id = r.pipeline_id
CROSS JOIN execution e ON e.id = s.execution_id
;
CREATE VIEW stage_cost AS SELECT stage, kind, wall_seconds, cpu_seconds, peak_rss_bytes, share, reused, pipeline
FROM (SELECT s.run_id, s.name AS stage, s.kind, e.wall_seconds, e.cpu_seconds, e.peak_rss_bytes,
  e.wall_seconds / sum(e.wall_seconds) OVER (PARTITION BY s.run_id) AS share,
  s.status = 'reused' AS reused, p.name AS pipeline
FROM (SELECT * FROM stage WHERE run_id IN (SELECT id FROM latest_run)) s
CROSS JOIN run r ON r.id = s.run_id
CROSS JOIN pipeline p ON p.id = r.pipeline_id
CROSS JOIN execution e ON e.id = s.execution_id)
;
CREATE VIEW run_lineage AS SELECT s.run_id, o.sha256 AS artifact, json_extract(j.value, '$[0]') AS depth,
  json_extract(j.value, '$[1]') AS ancestor, json_extract(j.value, '$[2]') AS execution_id,
  json_extract(j.value, '$[3]') AS kind
FROM stage s
JOIN execution_output o ON o.execution_id = s.execution_id
CROSS JOIN json_each((
  WITH RECURSIVE ancestry (depth, ancestor, execution_id) AS (
    SELECT 1, i.sha256, i.execution_id
    FROM execution_output x
    CROSS JOIN execution e ON e.id = x.execution_id AND e.status = 'succeeded'
    CROSS JOIN execution_input i ON i.execution_id = x.execution_id AND i.sha256 <> x.sha256
    WHERE x.sha256 = o.sha256
    UNION
    SELECT a.depth + 1, i.sha256, i.execution_id
    FROM ancestry a
    CROSS JOIN execution_output x ON x.sha256 = a.ancestor
    CROSS JOIN execution e ON e.id = x.execution_id AND e.status = 'succeeded'
    CROSS JOIN execution_input i ON i.execution_id = x.execution_id AND i.sha256 <> x.sha256
    WHERE a.depth < 64)
  SELECT json_group_array(json_array(b.depth, b.ancestor, b.execution_id, b.kind))
  FROM (
    SELECT min(a.depth) AS depth, a.ancestor, a.execution_id, e.kind
    FROM ancestry a CROSS JOIN execution e ON e.id = a.execution_id
    GROUP BY a.ancestor, a.execution_id) b)) j
;
CREATE VIEW lineage AS SELECT DISTINCT artifact, depth, ancestor, execution_id, kind FROM run_lineage
WHERE run_id IN (SELECT id FROM latest_run)
;
CREATE VIEW denoiser AS SELECT m.sha256, json_extract(m.body, '$.form') AS form,
  json_extract(coalesce(behind.body, m.body), '$.labelling') AS labelling,
  json_extract(coalesce(behind.body, m.body), '$.network.type') AS network,
  json_extract(coalesce(behind.body, m.body), '$.objects[0]') AS objects_min,
  json_extract(coalesce(behind.body, m.body), '$.objects[1]') AS objects_max,
  json_extract(coalesce(behind.body, m.body), '$.window') AS "window",
  json_extract(m.body, '$.base') AS base, json_extract(m.body, '$.mask.mask') AS mask,
  json_extract(coalesce(behind.body, m.body), '$.weights') AS weights,
  json_extract(coalesce(behind.body, m.body), '$.size') AS size,
  json_extract(coalesce(behind.body, m.body), '$.space.grid') AS cells,
  json_extract(coalesce(behind.body, m.body), '$.camera') AS camera
FROM manifest m LEFT JOIN manifest behind ON behind.sha256 = json_extract(m.body, '$.base')
WHERE m.type = 'denoiser'
;
CREATE VIEW run_model AS SELECT s.run_id, p.name AS pipeline, s.name AS stage, s.execution_id, s.kind, t.name AS model,
  coalesce(json_extract(coalesce(behind.body, d.body), '$.labelling'),
    json_extract(e.params, '$.labelling')) AS labelling,
  coalesce(json_extract(d.body, '$.mask.mask'), (
    SELECT json_extract(x.params, '$.mask')
    FROM execution_input m
      CROSS JOIN execution_output mo ON mo.sha256 = m.sha256 AND mo.role IN ('manifest', 'mask')
      CROSS JOIN stage i ON i.execution_id = mo.execution_id AND i.run_id = s.run_id
        AND i.kind = 'intervene'
    CROSS JOIN execution x ON x.id = i.execution_id
    WHERE m.execution_id = s.execution_id AND m.role IN ('denoiser/manifest', 'denoiser/mask') ORDER BY i.id LIMIT 1), 'none') AS arm,
  (SELECT i.name
    FROM execution_input m
      CROSS JOIN execution_output mo ON mo.sha256 = m.sha256 AND mo.role IN ('manifest', 'mask')
      CROSS JOIN stage i ON i.execution_id = mo.execution_id AND i.run_id = s.run_id
        AND i.kind = 'intervene'
    WHERE m.execution_id = s.execution_id AND m.role IN ('denoiser/manifest', 'denoiser/mask') ORDER BY i.id LIMIT 1) AS intervention,
  d.sha256 AS denoiser
FROM stage s
CROSS JOIN run r ON r.id = s.run_id
CROSS JOIN pipeline p ON p.id = r.pipeline_id
CROSS JOIN execution_input w ON w.execution_id = s.execution_id AND w.role = (
  SELECT y.role FROM execution_input y WHERE y.execution_id = s.execution_id
    AND y.role IN ('denoiser/manifest', 'denoiser/weights', 'denoiser/machine')
  ORDER BY y.role = 'denoiser/manifest' DESC LIMIT 1)
LEFT JOIN manifest d ON d.sha256 = w.sha256
LEFT JOIN manifest behind ON behind.sha256 = json_extract(d.body, '$.base')
CROSS JOIN execution_output o ON o.sha256 = coalesce(behind.sha256, w.sha256)
  AND o.role IN ('manifest', 'weights', 'machine')
CROSS JOIN stage t ON t.execution_id = o.execution_id AND t.run_id = s.run_id
  AND t.kind <> 'intervene' AND t.id = (SELECT min(z.id) FROM stage z
      WHERE z.execution_id = t.execution_id AND z.run_id = t.run_id)
CROSS JOIN execution e ON e.id = t.execution_id
WHERE s.kind <> 'intervene' AND s.id = (SELECT min(z.id) FROM stage z
      WHERE z.execution_id = s.execution_id AND z.run_id = s.run_id)
;
CREATE VIEW run_length_generalization AS SELECT v.run_id, v.model, v.labelling, v.arm, m.k, l.value AS window_load,
  m.value AS recall, m.ci_low, m.ci_high, m.n, m.seed, v.pipeline, v.intervention
FROM run_model v
CROSS JOIN metric m ON m.execution_id = v.execution_id AND m.name = 'recall'
LEFT JOIN metric l
  ON l.execution_id = v.execution_id AND l.name = 'window_load' AND l.k = m.k
WHERE v.kind = 'evaluate'
;
CREATE VIEW length_generalization AS SELECT model, labelling, arm, k, window_load, recall, ci_low, ci_high, n, seed, pipeline, intervention FROM run_length_generalization WHERE run_id IN (SELECT id FROM latest_run)
;
CREATE VIEW run_k_max AS SELECT v.run_id, v.model, v.labelling, v.arm, CAST(m.value AS INTEGER) AS k_max,
  CAST(m.ci_low AS INTEGER) AS ci_low, CAST(m.ci_high AS INTEGER) AS ci_high,
  t.value AS threshold, m.n, m.seed, v.pipeline, v.intervention
FROM stage s
CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'k_max'
CROSS JOIN metric t ON t.execution_id = s.execution_id
  AND t.name = 'k_max_threshold'
CROSS JOIN execution_output o ON o.sha256 = m.subject AND o.role IN ('outcomes', 'manifest')
CROSS JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
WHERE s.kind = 'compare'
;
CREATE VIEW k_max AS SELECT model, labelling, arm, k_max, ci_low, ci_high, threshold, n, seed, pipeline, intervention FROM run_k_max WHERE run_id IN (SELECT id FROM latest_run)
;
CREATE VIEW run_locality AS SELECT v.run_id, v.model, v.arm, m.sigma, m.k,
  CASE m.name WHEN 'locality.pixel' THEN 'pixel' WHEN 'locality.conditioner' THEN 'conditioner' WHEN 'locality.isotropic' THEN 'isotropic' END AS space,
  m."window", m.value AS share, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention, v.stage
FROM run_model v
CROSS JOIN metric m ON m.execution_id = v.execution_id
  AND m.name IN ('locality.pixel', 'locality.conditioner', 'locality.isotropic')
WHERE v.kind = 'probe'
;
CREATE VIEW locality AS SELECT model, arm, sigma, k, space, "window", share, ci_low, ci_high, n, pipeline, intervention FROM run_locality WHERE run_id IN (SELECT id FROM latest_run)
;
CREATE VIEW run_intervention_effect AS SELECT s.run_id, v.model AS baseline, v.intervention, v.arm,
  CASE m.name WHEN 'effect_recall' THEN 'recall' WHEN 'effect_exact' THEN 'exact' WHEN 'effect_precision' THEN 'precision' WHEN 'effect_recall_in_range' THEN 'recall_in_range' END AS metric,
  m.value AS effect, m.ci_low, m.ci_high, q.value AS p, h.value AS p_holm, m.n, v.pipeline,
  v.stage
FROM stage s
CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.k IS NULL
  AND m.name IN ('effect_recall', 'effect_exact', 'effect_precision', 'effect_recall_in_range')
CROSS JOIN execution_output o ON o.sha256 = m.subject AND o.role IN ('outcomes', 'manifest')
CROSS JOIN run_model v ON v.run_id = s.run_id AND v.execution_id = o.execution_id
LEFT JOIN metric q ON q.execution_id = s.execution_id AND q.subject = m.subject
  AND q.name = CASE m.name WHEN 'effect_recall' THEN 'p_recall' WHEN 'effect_exact' THEN 'p_exact' WHEN 'effect_precision' THEN 'p_precision' END
LEFT JOIN metric h ON h.execution_id = s.execution_id AND h.subject = m.subject
  AND h.name = CASE m.name WHEN 'effect_recall' THEN 'p_holm_recall' WHEN 'effect_exact' THEN 'p_holm_exact' WHEN 'effect_precision' THEN 'p_holm_precision' END
WHERE s.kind = 'compare'
;
CREATE VIEW intervention_effect AS SELECT baseline, intervention, arm, metric, effect, ci_low, ci_high, p, p_holm, n, pipeline FROM run_intervention_effect WHERE run_id IN (SELECT id FROM latest_run)
;
CREATE VIEW run_agreement AS SELECT v.run_id, v.model, v.arm, t.name AS reference,
  CASE m.name WHEN 'agreement.r2' THEN 'agreement.r2' WHEN 'agreement.r2_centered' THEN 'agreement.r2_centered' WHEN 'drawn_agreement.r2' THEN 'drawn.r2' WHEN 'drawn_agreement.r2_centered' THEN 'drawn.r2_centered' END AS measure, m.sigma, m.k,
  m.value AS r2, m.ci_low, m.ci_high, m.n, v.pipeline, v.intervention
FROM run_model v
CROSS JOIN execution_input w ON w.execution_id = v.execution_id AND w.role = (
  -- Before there were manifests, the weights alone.
  SELECT min(x.role) FROM execution_input x WHERE x.execution_id = v.execution_id
    AND x.role IN ('reference/manifest', 'reference/weights'))
CROSS JOIN execution_output o ON o.sha256 = w.sha256 AND o.role IN ('manifest', 'weights')
CROSS JOIN stage t ON t.run_id = v.run_id AND t.execution_id = o.execution_id
  AND (t.kind = 'train' OR w.role = 'reference/manifest') AND t.id = (SELECT min(z.id) FROM stage z
      WHERE z.execution_id = t.execution_id AND z.run_id = t.run_id)
CROSS JOIN metric m ON m.execution_id = v.execution_id
  AND m.name IN ('agreement.r2', 'agreement.r2_centered', 'drawn_agreement.r2', 'drawn_agreement.r2_centered')
WHERE v.kind = 'agree'
;
CREATE VIEW agreement AS SELECT model, arm, reference, measure, sigma, k, r2, ci_low, ci_high, n, pipeline, intervention FROM run_agreement WHERE run_id IN (SELECT id FROM latest_run)
;
CREATE VIEW run_training_curve AS SELECT s.run_id, s.name AS model, m.pictures, m.value AS loss, p.name AS pipeline
FROM stage s
CROSS JOIN run r ON r.id = s.run_id
CROSS JOIN pipeline p ON p.id = r.pipeline_id
CROSS JOIN metric m ON m.execution_id = s.execution_id AND m.name = 'loss'
WHERE s.kind = 'train'
;
CREATE VIEW training_curve AS SELECT model, pictures, loss, pipeline FROM run_training_curve WHERE run_id IN (SELECT id FROM latest_run)
;
