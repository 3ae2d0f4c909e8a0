/** Answers that are asked for once. What fails is forgotten, and asked for again the next time. */
export class Memo<T> {
  private readonly answers = new Map<string, Promise<T>>();

  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.answers.get(key);
    if (known) return known;
    const made = make();
    this.answers.set(key, made);
    made.catch(() => this.answers.delete(key));
    return made;
  }

  forget(key: string): void {
    this.answers.delete(key);
  }
}
