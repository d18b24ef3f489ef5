/** What the provider keeps, in memory: rows by model and id. Its methods are oidc-provider's. */

const rows = new Map();

export default class Store {
  constructor(model) {
    this.model = model;
  }

  async upsert(id, row) {
    rows.set(`${this.model} ${id}`, row);
  }

  async find(id) {
    return rows.get(`${this.model} ${id}`);
  }

  async consume(id) {
    (await this.find(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    rows.delete(`${this.model} ${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const [key, row] of of(this.model)) {
      if (row.grantId === grantId) rows.delete(key);
    }
  }
}

export function of(...models) {
  return [...rows].filter(([key]) => models.includes(key.split(' ', 1)[0]));
}

export function clear() {
  rows.clear();
}
