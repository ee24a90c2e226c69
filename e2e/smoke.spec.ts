import { expect, test } from 'playwright/test';

test('the page opens with its title and without an error', async ({ page }) => {
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  await page.goto('./');
  await expect(page).toHaveTitle(/Restore-RWKV/);
  await expect(page.getByLabel('Open images')).toBeAttached();
  await page.screenshot({ path: 'e2e/artefacts/opened.png' });
  expect(errors).toEqual([]);
});
