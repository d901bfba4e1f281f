// Asking the daemon.  A refusal becomes an Error whose message is for people.
export const at = (path) => new URL(`api/v1/${path}`, location.href.split(/[?#]/)[0]).href;

export const named = (id, what = "") => `processes/${encodeURIComponent(id)}${what}`;

export async function ask(path, body, method = body ? "POST" : "GET") {
  let reply;
  try {
    const headers = body ? { "Content-Type": "application/json" } : {};
    reply = await fetch(at(path), { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("the daemon does not answer");
  }
  const answer = await reply.json().catch(() => ({}));
  if (reply.ok) return answer;
  throw new Error(answer.detail || answer.title || `the daemon answered ${reply.status}`);
}
