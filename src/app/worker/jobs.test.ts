import { expect, it } from 'vitest';
import { createJobs } from './jobs.ts';

const silent = () => undefined;

it('a turn comes after the jobs that were asked for before it and before those that come later', async () => {
  const jobs = createJobs(silent, silent, silent);
  const done: string[] = [];
  const slow = (name: string) => async () => {
    await new Promise((resolve) => setTimeout(resolve));
    done.push(name);
  };
  void jobs.run('a', slow('job'));
  void jobs.turn(slow('turn'));
  await jobs.run('b', slow('later job'));
  expect(done).toEqual(['job', 'turn', 'later job']);
});

it('a turn is not cancelled with the jobs, is told to nobody, and its failure is its caller’s alone', async () => {
  const told: string[] = [];
  const jobs = createJobs((words) => told.push(words), (words) => told.push(words), silent);
  const failing = jobs.turn(() => Promise.reject(new Error('mine')));
  const fine = jobs.turn(async () => 7);
  jobs.cancel();
  await expect(failing).rejects.toThrow('mine');
  expect(await fine).toBe(7);
  expect(told).toEqual([]);
});

it('settling says that nothing is under way once no job is', async () => {
  let idle = 0;
  const jobs = createJobs(silent, silent, () => idle++);
  const job = jobs.run('a job', () => new Promise((resolve) => setTimeout(resolve)));
  jobs.settle();
  expect(idle).toBe(0);
  await job;
  expect(idle).toBe(1);
  jobs.settle();
  expect(idle).toBe(2);
});
