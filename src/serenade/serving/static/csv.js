// Results as a table for spreadsheets, with the columns of `serenade predict --format csv`.

/** Make a CSV file of results. */
export function toCsv(results) {
  const labels = [...new Set(results.flatMap(({ labels }) => labels))];
  const rows = results.map(({ name, prediction, problem }) => [
    name,
    prediction?.emotion ?? "",
    prediction?.confidence ?? "",
    prediction?.abstained ?? "",
    prediction?.duration_s ?? "",
    prediction?.model ?? "",
    ...labels.map((label) => prediction?.probabilities[label] ?? ""),
    prediction?.warnings.join(" ") ?? "",
    problem ?? "",
  ]);
  const head = ["path", "emotion", "confidence", "abstained", "duration_s", "model", ...labels, "warnings", "error"];
  const lines = [head, ...rows].map((cells) => cells.map(quote).join(","));
  return new Blob([lines.join("\r\n"), "\r\n"], { type: "text/csv" });
}

function quote(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
