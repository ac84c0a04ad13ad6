import js from "@eslint/js";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
    { ignores: ["dist", "node_modules", "src/types"] },
    js.configs.recommended,
    tseslint.configs.strictTypeChecked,
    tseslint.configs.stylisticTypeChecked,
    hooks.configs.flat.recommended,
    {
        languageOptions: {
            globals: globals.browser,
            parserOptions: {
                projectService: { allowDefaultProject: ["eslint.config.js"] },
                tsconfigRootDir: import.meta.dirname,
            },
        },
        rules: {
            "@typescript-eslint/consistent-type-imports": "error",
            "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
            "@typescript-eslint/prefer-nullish-coalescing": [
                "error",
                { ignorePrimitives: { string: true } },
            ],
            "@typescript-eslint/switch-exhaustiveness-check": [
                "error",
                { considerDefaultExhaustiveForUnions: true },
            ],
            // Types are generated as `type`, so the page writes the same.
            "@typescript-eslint/consistent-type-definitions": "off",
            "no-restricted-imports": [
                "error",
                {
                    patterns: [
                        {
                            group: ["@tauri-apps/*"],
                            message: "Only src/host/tauri.ts may know the shell.",
                        },
                    ],
                },
            ],
        },
    },
    { files: ["src/host/tauri.ts"], rules: { "no-restricted-imports": "off" } },
);
