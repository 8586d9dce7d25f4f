/** The console in a real browser, against the real server with its controllers: what people see and do there. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { noBrowser, openBrowser } from "./browser.ts";
import { assertAccessible, openStage, openWindow, picture, signIn, type Stage } from "./consolestage.ts";

describe("the console", { skip: noBrowser() ?? false }, () => {
  let stage: Stage;
  let browser: Browser;
  let page: Page;
  let healthy: () => void;

  before(async () => {
    [stage, browser] = await Promise.all([openStage(), openBrowser()]);
    ({ page, healthy } = await openWindow(browser));
  });
  after(async () => {
    await browser.close();
    await stage.close();
  });

  test("shows nothing to who is not signed in, and says how to", async () => {
    await page.goto(`${stage.url}/k/pods`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await assertAccessible(page);
  });

  test("lets the admin in by a link, once", async () => {
    const link = await stage.link();
    await signIn(page, link);
    await page.getByRole("heading", { name: "Pods" }).waitFor();
    const other = await openWindow(browser);
    await other.page.goto(link);
    await other.page.getByRole("button", { name: "Sign in" }).click();
    await other.page.getByText("this link has been used").waitFor();
    await other.page.context().close();
  });

  test("shows a pod that kubectl creates, without being asked", async () => {
    await page.goto(`${stage.url}/k/pods?ns=default`);
    await page.getByText("No pods here yet").waitFor();
    await stage.kubectl("create deployment web --image=registry.example/web:1 --replicas=3");
    const row = page.getByRole("row", { name: /web-.*Pending/ }).first();
    await row.waitFor();
    await picture(page, "pods");
    await assertAccessible(page);
    await stage.kubectl("delete deployment web");
    await page.getByText("No pods here yet").waitFor();
    healthy();
  });

  test("answers only its own page", async () => {
    // As text: what runs in the page is none of this program's types.
    const answers = await page.evaluate(`(async () => {
      const bare = await fetch("/hub/api/v1/secrets");
      const own = await fetch("/hub/api/v1/namespaces", { headers: { "x-atoll-console": "1" } });
      return { bare: bare.status, own: own.status, cookie: document.cookie };
    })()`);
    assert.deepEqual(answers, { bare: 403, own: 200, cookie: "" });
  });

  test("lets nobody in after signing out", async () => {
    await page.getByRole("button", { name: "kubernetes-admin" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(`${stage.url}/k/pods`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});
